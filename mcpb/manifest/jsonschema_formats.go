package manifest

// The patterns are ECMA 262 and RE2 at once: neither the names of JSON Schema's formats, which most programs do not
// check and some check otherwise, nor look-aheads, which Go and Rust do not have.
const (
	emailPattern = `^([A-Za-z0-9_'+-]+\.)*[A-Za-z0-9_'+-]*[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9-]*\.)+[A-Za-z]{2,}$`

	blanks    = `[\x00-\x20]*`
	portRange = `0*([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])`
	port      = `(:(` + portRange + `)?)?`
	ipv6      = `\[[0-9A-Fa-f:.]+\]`
	// A character of a host that is looked up, or an escape of one.
	hostChar = `([^\x00-\x20#%/:<>?@\[\\\]^|\x7f�]|%(2[1246-9A-Ea-e]|3[0-9BDbd]|4[1-9A-Fa-f]|5[0-9AFaf]|6[0-9A-Fa-f]|7[0-9ABDEabde]|[89A-Fa-f][0-9A-Fa-f]))`
	host     = `(` + ipv6 + `|` + hostChar + `+)`
	// A host of another scheme is not looked at closely.
	anyHost = `(` + ipv6 + `|[^\x00\t\n\r #/:<>?@\[\\\]^|]+)`

	webScheme  = `^` + blanks + `([Hh][Tt][Tt][Pp][Ss]?|[Ff][Tt][Pp]|[Ww][Ss][Ss]?):`
	fileScheme = `^` + blanks + `[Ff][Ii][Ll][Ee]:`
	anyScheme  = `^` + blanks + `[A-Za-z][A-Za-z0-9+.-]*:`

	webURL  = webScheme + `[/\\]*([^/\\?#]*@)?` + host + port + `([/\\?#][\s\S]*)?` + blanks + `$`
	fileURL = fileScheme + `(|[^/\\][\s\S]*|[/\\]([^/\\][\s\S]*)?|[/\\]{2}(` + host + `|[A-Za-z][:|])?([/\\?#][\s\S]*)?` + blanks + `)$`
	anyURL  = anyScheme + `(/?|/?[^/][\s\S]*|//(([^/?#]*@)?` + anyHost + port + `)?([/?#][\s\S]*)?` + blanks + `)$`
)

// formatDefs are the formats that many keys share.
func formatDefs() ordered {
	return ordered{
		{"email", ordered{{"type", "string"}, {"pattern", emailPattern}}},
		{"url", ordered{
			{"type", "string"}, {"pattern", anyScheme},
			{"if", ordered{{"pattern", webScheme}}}, {"then", ordered{{"pattern", webURL}}},
			{"else", ordered{{"if", ordered{{"pattern", fileScheme}}}, {"then", ordered{{"pattern", fileURL}}}, {"else", ordered{{"pattern", anyURL}}}}},
		}},
	}
}
