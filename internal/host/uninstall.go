package host

import (
	"os"
	"slices"

	"satchel/internal/problem"
	"satchel/internal/store"
)

// Removed is what Uninstall did.
type Removed struct {
	ID       string `json:"id"`
	Version  string `json:"version"`            // "" when there was no record that could be read
	DataKept string `json:"dataKept,omitempty"` // the extension's own folder, when there is one and it was kept

	ActivityKept bool `json:"activityKept,omitempty"` // there are records of what it did, which were kept
}

// Removal says what Uninstall would remove. What is damaged, or was left half written, can be removed too.
func (h *Host) Removal(id string, purge bool) (*Removed, error) {
	recorded, err := h.activity.IDs()
	if err != nil {
		return nil, unreadable(err)
	}
	left := recorded
	if !purge {
		left = nil
	}
	full, err := h.store.Find(id, purge, left...)
	if err != nil {
		return nil, err
	}
	res := &Removed{ID: full, ActivityKept: !purge && slices.Contains(recorded, full)}
	if in, err := h.store.Get(full); err == nil {
		res.Version = in.Version
	}
	return res, nil
}

// Uninstall removes an extension and its answers; its own folder and the records of what it did only with purge, and then
// also those of an extension that was removed before.
func (h *Host) Uninstall(id string, purge bool) (*Removed, error) {
	res, err := h.Removal(id, purge)
	if err != nil {
		return nil, err
	}
	if purge { // first, so that they are still found when this is where it ends
		if err := h.activity.Remove(res.ID); err != nil {
			return nil, problem.New(problem.Failed, "activity/remove", "the records of what it did cannot be removed").At(res.ID).Because(err).Try("see who may write there; nothing else was removed")
		}
	}
	if err := h.store.Remove(&store.Installation{ID: res.ID}, purge); err != nil {
		return nil, err
	}
	_ = os.Remove(h.store.DataPath(res.ID)) // only when nothing is in it
	if _, err := os.Stat(h.store.DataPath(res.ID)); err == nil {
		res.DataKept = h.store.DataPath(res.ID)
	}
	return res, nil
}
