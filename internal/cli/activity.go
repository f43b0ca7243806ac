package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"satchel/internal/activity"
	"satchel/internal/host"
	"satchel/internal/problem"
	"satchel/internal/term"
)

type activityOptions struct {
	id     string
	denied bool
	since  string
	follow bool
	limit  int
}

type activityResult struct {
	ID         string          `json:"id,omitempty"`
	Records    []host.Deed     `json:"records"`
	Earlier    int             `json:"earlier"`    // records before, which are not shown
	Unreadable int             `json:"unreadable"` // lines that a crash has torn
	Grants     []activityGrant `json:"grants"`
	rows       []host.Deed     // the records, equal ones as one
}

// An activityGrant is what would let an extension do what it was denied.
type activityGrant struct {
	ID      string `json:"id"`
	Grant   string `json:"grant"`
	Command string `json:"command"`
}

func newActivity(a *app) *cobra.Command {
	var o activityOptions
	cmd := &cobra.Command{
		Use:     "activity [ID]",
		GroupID: "user",
		Short:   "Show what extensions did, and what they were denied",
		Long: `Shows what the servers of an extension, or of all, did: when they ran and for which program, which hosts they reached,
which programs they started, and what of that was denied, with the command that would grant it. The newest comes last.
What was not granted the network at all is only known to have failed; of what runs without a sandbox only start and end.

The records stay when an extension is uninstalled, until satchel uninstall --purge. docs/permissions.md says how long.`,
		Example: "  satchel activity notes\n  satchel activity notes --denied --since 24h\n  satchel activity --follow\n" +
			"  satchel activity notes --since 2026-11-01T00:00:00Z --limit 0 --json",
		Args:              wantArgs(0, 1),
		ValidArgsFunction: a.completeIDs,
		Annotations:       exits("1 failed, 2 usage, 6 not found, 130 with --follow, at Ctrl-C"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.id = strings.Join(args, "")
			if o.follow {
				return o.runFollow(cmd.Context(), a)
			}
			res, err := o.run(a)
			if err != nil {
				return err
			}
			return a.show(res, func() { o.print(a, res) })
		},
	}
	cmd.Flags().BoolVar(&o.denied, "denied", false, "only what was denied")
	cmd.Flags().StringVar(&o.since, "since", "", "only what is not older, such as 30m, 24h or 2026-11-01T00:00:00Z")
	cmd.Flags().BoolVarP(&o.follow, "follow", "f", false, "go on with what happens, until Ctrl-C")
	cmd.Flags().IntVarP(&o.limit, "limit", "n", 50, "show so many of the newest; 0 for all")
	return cmd
}

// begin opens what is read, and gives who chooses from it.
func (o activityOptions) begin(a *app) (h *host.Host, feed *host.Feed, choose func([]host.Deed) []host.Deed, err error) {
	from := time.Time{}
	if o.since != "" {
		if from, err = pointInTime(o.since, time.Now()); err != nil {
			return nil, nil, nil, err
		}
	}
	if o.limit < 0 {
		return nil, nil, nil, problem.New(problem.Usage, "cli/flags", "--limit is less than nothing").Try("--limit 0 shows all")
	}
	if h, err = a.host(); err != nil {
		return nil, nil, nil, err
	}
	if feed, err = h.Activity(o.id); err != nil {
		return nil, nil, nil, err
	}
	return h, feed, func(list []host.Deed) []host.Deed {
		return slices.DeleteFunc(list, func(d host.Deed) bool {
			return last(d).Before(from) || o.denied && !d.Denied && d.Kind != activity.Lost
		})
	}, nil
}

// pointInTime reads a time, or how long ago it is.
func pointInTime(text string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, problem.New(problem.Usage, "activity/since", "is neither how long ago nor a time").At(text).Try("--since 24h, or --since %s", now.UTC().Format(time.RFC3339))
	}
	return at, nil
}

// last is when the last of what a record counts happened.
func last(d host.Deed) time.Time {
	if d.Until.After(d.Time) {
		return d.Until
	}
	return d.Time
}

func (o activityOptions) run(a *app) (*activityResult, error) {
	h, feed, choose, err := o.begin(a)
	if err != nil {
		return nil, err
	}
	res, err := o.read(h, feed, choose)
	if err != nil {
		return nil, err
	}
	res.Unreadable += feed.Torn()
	return res, nil
}

func (o activityOptions) read(h *host.Host, feed *host.Feed, choose func([]host.Deed) []host.Deed) (*activityResult, error) {
	deeds, err := feed.Next()
	if err != nil {
		return nil, err
	}
	list := choose(deeds.List)
	res := &activityResult{ID: feed.ID, Records: newest(list, o.limit), Unreadable: deeds.Unreadable, Grants: []activityGrant{}}
	res.Earlier = len(list) - len(res.Records)
	res.rows = newest(collapse(list), o.limit)
	for _, r := range h.Remedies(list) {
		res.Grants = append(res.Grants, activityGrant{r.ID, r.Word, r.Command()})
	}
	return res, nil
}

// newest gives the end of a list; all of it with the limit 0.
func newest[T any](list []T, limit int) []T {
	if limit > 0 && len(list) > limit {
		return list[len(list)-limit:]
	}
	return append([]T{}, list...)
}

// collapse makes one row of what a server did again and again in one run, at the time of the last.
func collapse(list []host.Deed) []host.Deed {
	type sameness struct {
		id, run, what, rule, why string
		kind                     activity.Kind
		denied                   bool
	}
	at, rows := map[sameness]int{}, []host.Deed{}
	for _, d := range list {
		key := sameness{d.ID, d.Run, d.What, d.Rule, d.Why, d.Kind, d.Denied}
		i, again := at[key]
		if !again {
			at[key] = len(rows)
			d.Count = max(d.Count, 1)
			rows = append(rows, d)
			continue
		}
		r := &rows[i]
		r.Count += max(d.Count, 1)
		r.Sent, r.Received = r.Sent+d.Sent, r.Received+d.Received
		if last(d).After(last(*r)) {
			r.Until = last(d)
		}
	}
	slices.SortStableFunc(rows, func(a, b host.Deed) int { return last(a).Compare(last(b)) })
	return rows
}

func (o activityOptions) print(a *app, res *activityResult) {
	header := []string{"LAST", "EXTENSION", "WHAT", "TIMES", "ANSWER"}
	var rows [][]string
	for _, r := range res.rows {
		rows = append(rows, deedCells(a, r))
	}
	if len(rows) == 0 {
		a.out.Println(map[bool]string{true: "nothing was denied", false: "nothing is recorded"}[o.denied])
	} else {
		_ = a.out.Table(header, rows) // a closed pipe is the reader's wish
	}
	if res.Unreadable > 0 {
		a.err.Printf("%s %d lines could not be read: a crash has torn them\n", a.err.Yellow("warning:"), res.Unreadable)
	}
	if len(res.Grants) > 0 {
		a.out.Println("to grant what was denied:")
	}
	for _, g := range res.Grants {
		a.out.Printf("  %s\n", term.VisibleLine(g.Command))
	}
}

func deedCells(a *app, d host.Deed) []string {
	times := ""
	if d.Count > 1 {
		times = strconv.Itoa(d.Count) + "x"
	}
	return []string{last(d).UTC().Format(time.RFC3339), d.ID, term.VisibleLine(deedText(d)), times, deedAnswer(a, d)}
}

// deedText says in words what a record tells of.
func deedText(d host.Deed) string {
	switch d.Kind {
	case activity.Start:
		text := "started, sandbox: " + d.Mode
		if d.App != "" {
			text += ", by " + d.App
		}
		return text
	case activity.End:
		if d.Code == nil {
			return "ended"
		}
		return fmt.Sprintf("ended with exit code %d", *d.Code)
	case activity.Lost:
		return "did more than is recorded: too much at once"
	case activity.Net:
		return tense(d, "reached ", "could not reach ", "tried to reach ")
	case activity.Run:
		return tense(d, "ran ", "ran ", "tried to run ")
	case activity.Read:
		return tense(d, "read ", "read ", "tried to read ")
	case activity.Write:
		return tense(d, "wrote to ", "wrote to ", "tried to write to ")
	}
	return string(d.Kind) + " " + d.What
}

func tense(d host.Deed, done, failed, denied string) string {
	what := d.What
	if what == "" {
		what = "what it hid"
	}
	switch {
	case d.Denied:
		return denied + what
	case d.Why != "":
		return failed + what
	}
	return done + what
}

// deedAnswer says whether it was allowed, and why not; of what is no question, what there is to know.
func deedAnswer(a *app, d host.Deed) string {
	why := term.VisibleLine(d.Why)
	switch {
	case d.Denied && why == "":
		return a.out.Red("denied: not granted")
	case d.Denied:
		return a.out.Red("denied: " + why)
	case d.Kind == activity.Start, d.Kind == activity.End, d.Kind == activity.Lost:
		return why
	case why != "":
		return "allowed, failed: " + why
	case d.Sent+d.Received > 0:
		return a.out.Green("allowed") + fmt.Sprintf(", sent %s, received %s", term.Bytes(d.Sent), term.Bytes(d.Received))
	}
	return a.out.Green("allowed")
}

// glance is how often --follow looks for news.
const glance = 250 * time.Millisecond

func (o activityOptions) runFollow(ctx context.Context, a *app) error {
	h, feed, choose, err := o.begin(a)
	if err != nil {
		return err
	}
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for {
		res, err := o.read(h, feed, choose)
		if err != nil {
			return err
		}
		o.printNews(a, res)
		o.limit = 0 // it was of what had been there
		if err := a.out.Err(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			a.code = problem.Interrupted.Exit()
			return nil
		case <-tick.C:
		}
	}
}

func (o activityOptions) printNews(a *app, res *activityResult) {
	if a.json {
		for _, d := range res.Records {
			_ = a.showJSON(d, "") // what is lost is noticed by the caller
		}
		return
	}
	for _, d := range res.Records {
		cells := deedCells(a, d)
		a.out.Println(strings.Join(slices.DeleteFunc(cells, func(s string) bool { return s == "" }), "  "))
	}
	for _, g := range res.Grants {
		a.out.Println(a.out.Faint("to grant it: " + term.VisibleLine(g.Command)))
	}
}

// hintRefused names what the server that was started last was denied: that may be why something failed.
func (a *app) hintRefused(h *host.Host) {
	refused := h.Refused()
	if a.json || len(refused) == 0 {
		return
	}
	var things, words []string
	for _, d := range refused {
		things = append(things, strings.TrimPrefix(deedText(d), "tried to "))
	}
	next := "; see " + problem.Words("satchel", "activity", refused[0].ID)
	for _, r := range h.Remedies(refused) {
		words = append(words, "--grant", r.Word)
	}
	if len(words) > 0 {
		next = "; to change that: " + problem.Words(append([]string{"satchel", "permissions", refused[0].ID}, words...)...)
	}
	a.err.Printf("%s it was denied to %s%s\n", a.err.Yellow("note:"), term.VisibleLine(strings.Join(things, ", ")), term.VisibleLine(next))
}
