package egress

import (
	"errors"

	"golang.org/x/crypto/cryptobyte"
)

// Numbers of TLS (RFC 8446, RFC 6066, RFC 9849).
const (
	recordHandshake    = 0x16
	recordChangeCipher = 0x14
	recordAlert        = 0x15
	recordData         = 0x17
	recordHeader       = 5
	maxRecord          = 16 << 10
	clientHello        = 1
	maxHello           = 16 << 10
	extServerName      = 0
	extECH             = 0xfe0d
	nameTypeHost       = 0
)

// A hello is what a TLS client says of itself that matters here.
type hello struct {
	name string // the server's name as the client wrote it; empty when there is none
	ech  bool   // the true name is hidden
	size int    // of its records
}

var errHello = errors.New("not a TLS ClientHello")

// parseHello reads the ClientHello at the beginning of b, which may be split over records. When there is too little of
// it, need is how many bytes it takes to go on. The verdict on the first n bytes is never changed by those after them.
func parseHello(b []byte) (h hello, need int, err error) {
	var message []byte
	for at := 0; ; {
		body, need, err := record(b, at)
		if need > 0 || err != nil {
			return hello{}, need, err
		}
		message = append(message, body...)
		at += recordHeader + len(body)
		if message[0] != clientHello {
			return hello{}, 0, errHello
		}
		if len(message) < 4 {
			continue
		}
		size := 4 + int(message[1])<<16 + int(message[2])<<8 + int(message[3])
		if size > 4+maxHello || len(message) > size {
			return hello{}, 0, errHello
		}
		if len(message) == size {
			h, err = helloBody(message[4:])
			h.size = at
			return h, 0, err
		}
	}
}

// record gives the content of the handshake record at b[at:].
func record(b []byte, at int) (body []byte, need int, err error) {
	for i, want := range []byte{recordHandshake, 3} { // as early as it shows
		if len(b) > at+i && b[at+i] != want {
			return nil, 0, errHello
		}
	}
	start := at + recordHeader
	if len(b) < start {
		return nil, start, nil
	}
	size := int(b[at+3])<<8 | int(b[at+4])
	if size == 0 || size > maxRecord {
		return nil, 0, errHello
	}
	if len(b) < start+size {
		return nil, start + size, nil
	}
	return b[start : start+size], 0, nil
}

// helloBody reads a ClientHello without its header. A name that is given twice, or in two ways, is an error: two readers
// could take different ones.
func helloBody(body []byte) (h hello, err error) {
	s := cryptobyte.String(body)
	var session, ciphers, compressions, extensions cryptobyte.String
	if !s.Skip(2+32) || !s.ReadUint8LengthPrefixed(&session) || !s.ReadUint16LengthPrefixed(&ciphers) || !s.ReadUint8LengthPrefixed(&compressions) {
		return hello{}, errHello
	}
	if s.Empty() {
		return hello{}, nil
	}
	if !s.ReadUint16LengthPrefixed(&extensions) || !s.Empty() {
		return hello{}, errHello
	}
	for named := false; !extensions.Empty(); {
		var kind uint16
		var data cryptobyte.String
		if !extensions.ReadUint16(&kind) || !extensions.ReadUint16LengthPrefixed(&data) {
			return hello{}, errHello
		}
		switch kind {
		case extECH:
			h.ech = true
		case extServerName:
			if named {
				return hello{}, errHello
			}
			if h.name, err = serverName(data); err != nil {
				return hello{}, err
			}
			named = true
		}
	}
	return h, nil
}

func serverName(data cryptobyte.String) (string, error) {
	var list, name cryptobyte.String
	var kind uint8
	if !data.ReadUint16LengthPrefixed(&list) || !data.Empty() || !list.ReadUint8(&kind) || kind != nameTypeHost ||
		!list.ReadUint16LengthPrefixed(&name) || !list.Empty() || name.Empty() {
		return "", errHello
	}
	return string(name), nil
}
