package actions

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Bounds of what passes between parent and child.
const (
	maxFrame    = 256 << 10 // of a child: one message
	maxJob      = 2 << 20   // of the parent: a job or an answer
	maxMessages = 1000      // of one run
	maxTotal    = 2 << 20   // of one run, bytes
	maxArgs     = 4
	maxMethod   = 64
)

// message is what a child sends.
type message struct {
	Kind string `json:"kind"`
	// ready: what the machine did not enforce.
	Lacks []string `json:"lacks,omitempty"`
	// log: a line. failed: what was thrown.
	Text string `json:"text,omitempty"`
	// failed: why, and of what was thrown its name and place.
	Why   string `json:"why,omitempty"`
	Class string `json:"class,omitempty"`
	Where string `json:"where,omitempty"`
	// call, ask: "access.deny", and its arguments.
	Method string            `json:"method,omitempty"`
	Args   []json.RawMessage `json:"args,omitempty"`
	// ask: what the answer is to carry.
	ID int `json:"id,omitempty"`
}

// The kinds of message: shut in and waiting; a console line; a call of api; a
// question; the handler settled; it did not.
const (
	kindReady  = "ready"
	kindLog    = "log"
	kindCall   = "call"
	kindAsk    = "ask"
	kindDone   = "done"
	kindFailed = "failed"
)

var kinds = [...]string{kindReady, kindLog, kindCall, kindAsk, kindDone, kindFailed}

// job is what the parent sends first.
type job struct {
	Name    string            `json:"name"`
	Code    string            `json:"code"`
	Handler string            `json:"handler"`
	Event   json.RawMessage   `json:"event"`
	Methods map[string]string `json:"methods"` // → call, ask, or none: it is known and not to be had
}

// answer is what the parent sends for a question.
type answer struct {
	ID    int             `json:"id"`
	Value json.RawMessage `json:"value,omitempty"`
	Error string          `json:"error,omitempty"`
}

var errFrame = errors.New("a message of no such form")

// readFrame reads one message of at most limit bytes. io.EOF is an end between
// two messages.
func readFrame(r io.Reader, limit int) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n == 0 || n > uint32(limit) {
		return nil, fmt.Errorf("%w: %d bytes", errFrame, n)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, errors.Join(errFrame, err)
	}
	return b, nil
}

// writeFrame writes a message in one piece.
func writeFrame(w io.Writer, v any, limit int) error {
	out := bytes.NewBuffer(make([]byte, 4, 512)) // the length, when it is known
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false) // values of scripts are passed on as they are
	if err := e.Encode(v); err != nil {
		return err
	}
	b := out.Bytes()
	n := len(b) - 4
	if n > limit {
		return fmt.Errorf("%w: %d bytes", errFrame, n)
	}
	binary.BigEndian.PutUint32(b, uint32(n))
	_, err := w.Write(b)
	return err
}

// parseMessage reads what a child says. What it holds is still the script's to
// choose: only its form is right.
func parseMessage(b []byte) (message, error) {
	var m message
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return message{}, errFrame // the error would quote it
	}
	if _, err := d.Token(); err != io.EOF {
		return message{}, errFrame
	}
	switch {
	case !slices.Contains(kinds[:], m.Kind),
		len(m.Lacks) > 16 || m.Kind != kindReady && m.Lacks != nil,
		len(m.Args) > maxArgs || len(m.Method) > maxMethod || m.ID < 0,
		(m.Kind == kindCall || m.Kind == kindAsk) != (m.Method != ""),
		(m.Kind == kindAsk) != (m.ID != 0):
		return message{}, errFrame
	}
	for i, a := range m.Args {
		if len(a) == 0 {
			m.Args[i] = json.RawMessage("null")
		}
	}
	return m, nil
}
