package inside

import (
	"encoding/binary"
	"errors"
	"reflect"
)

// An order is written as what its types say, one value behind the other: numbers as varints, texts and lists with their
// length before them. JSON took as long to read as the whole world takes to build. The form of the types stands before it
// all, so that a program of another version is noticed.

// Encode gives the order as its reader takes it.
func (o Order) Encode() []byte {
	v := reflect.ValueOf(o)
	return encode(appendText(nil, form(v.Type())), v)
}

// decode reads an order. The error says that it is none of this version.
func decode(data []byte) (o Order, err error) {
	r := reader{rest: data}
	v := reflect.ValueOf(&o).Elem()
	if r.text() != form(v.Type()) {
		return Order{}, errors.New("it is one of another version of satchel")
	}
	r.decode(v)
	if r.bad || len(r.rest) > 0 {
		return Order{}, errors.New("it is cut or too long")
	}
	return o, nil
}

// form names what a type is made of.
func form(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Slice:
		return "[" + form(t.Elem()) + "]"
	case reflect.Struct:
		text := "{"
		for i := range t.NumField() {
			text += t.Field(i).Name + form(t.Field(i).Type)
		}
		return text + "}"
	}
	return ":" + t.Kind().String()
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func encode(b []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			return append(b, 1)
		}
		return append(b, 0)
	case reflect.String:
		return appendText(b, v.String())
	case reflect.Slice:
		b = binary.AppendUvarint(b, uint64(v.Len()))
		for i := range v.Len() {
			b = encode(b, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			b = encode(b, v.Field(i))
		}
	default:
		if v.CanInt() {
			return binary.AppendVarint(b, v.Int())
		}
		return binary.AppendUvarint(b, v.Uint()) // panics for a type that orders do not have, which their test finds
	}
	return b
}

// A reader reads values; bad says that there was less or something else.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) uint() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *reader) int() int64 {
	n, size := binary.Varint(r.rest)
	if size <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

// length is that of a text or a list, of which each item takes a byte at least.
func (r *reader) length() int {
	n := r.uint()
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return 0
	}
	return int(n)
}

func (r *reader) text() string {
	n := r.length()
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}

func (r *reader) decode(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.uint() == 1)
	case reflect.String:
		v.SetString(r.text())
	case reflect.Slice:
		if n := r.length(); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				r.decode(v.Index(i))
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			r.decode(v.Field(i))
		}
	default:
		r.number(v)
	}
}

// number refuses what does not fit into its type.
func (r *reader) number(v reflect.Value) {
	if v.CanInt() {
		n := r.int()
		r.bad = r.bad || v.OverflowInt(n)
		v.SetInt(n)
		return
	}
	n := r.uint()
	r.bad = r.bad || v.OverflowUint(n)
	v.SetUint(n)
}
