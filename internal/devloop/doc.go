// Package devloop is what satchel dev does with a folder: watch it, build it, start its server anew when something
// changed, and keep the last server that worked when the new one does not.
//
// [Loop] is that loop; what starts and checks a server is given to it. [Relay] stands between an app and the server of a
// linked extension: it passes messages on, starts the server anew when a loop says so, and tells the loop of each call
// over a [Hub], a socket that only the same user can reach. Where there are no such sockets (Windows) apps are served
// without a relay, and calls are not shown.
package devloop

import (
	"encoding/json"
	"time"
)

// A Kind is what an [Event] is about.
type Kind string

// The kinds of events.
const (
	Changed   Kind = "changed"   // files were changed: Files
	Building  Kind = "building"  // the build command was started: Text
	Built     Kind = "built"     // it ended: MS, Error when it failed
	Checked   Kind = "checked"   // the manifest was validated: Findings
	Starting  Kind = "starting"  // the server is being started
	Started   Kind = "started"   // it answers: MS, Tools
	Failed    Kind = "failed"    // it does not start: Error, and whether an older one still Runs
	Ended     Kind = "ended"     // the server ended by itself: Error
	Log       Kind = "log"       // a line of the server's or the build's error stream: Source, Text
	Note      Kind = "note"      // something that the author should know: Text
	AppJoined Kind = "app"       // an app uses the extension now: App
	AppLeft   Kind = "app-left"  // it does not any more
	Call      Kind = "call"      // an app asked something and got an answer: Method, Tool, Arguments, Result or Error, MS
	Notified  Kind = "notified"  // a message without an answer, from From
	Restarted Kind = "restarted" // an app's server was started anew: MS, or Error and the older one still runs
)

// An Event is one thing that happened. Secrets are replaced by "***" and long texts are cut.
type Event struct {
	Event     Kind            `json:"event"`
	Time      time.Time       `json:"time"`
	App       string          `json:"app,omitempty"` // the app's name, as it says, and its process
	Source    string          `json:"source,omitempty"`
	Text      string          `json:"text,omitempty"`
	Files     []string        `json:"files,omitempty"`
	Findings  json.RawMessage `json:"findings,omitempty"`
	Tools     []string        `json:"tools,omitempty"`
	From      string          `json:"from,omitempty"` // app or server
	Method    string          `json:"method,omitempty"`
	Tool      string          `json:"tool,omitempty"` // of tools/call; the name or address of what else is asked for
	Arguments string          `json:"arguments,omitempty"`
	Result    string          `json:"result,omitempty"`
	Error     string          `json:"error,omitempty"`
	MS        float64         `json:"ms,omitempty"`
	Runs      bool            `json:"runs,omitempty"` // an older server still runs
	Lost      int             `json:"lost,omitempty"` // events before this one that there was no room for
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
