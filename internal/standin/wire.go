package standin

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxHead bounds a request head in bytes, so that a broken proxy cannot fill
// the memory of the demonstration.
const maxHead = 256 << 10

// Field is one header field exactly as it stood on the wire: the name in its
// own spelling, the value without the blanks around it.
type Field struct{ Name, Value string }

// MarshalText writes the field as one line, "Name: value".
func (f Field) MarshalText() ([]byte, error) { return []byte(f.Name + ": " + f.Value), nil }

// UnmarshalText reads what MarshalText wrote.
func (f *Field) UnmarshalText(b []byte) error {
	name, value, ok := strings.Cut(string(b), ": ")
	if !ok {
		return fmt.Errorf("no header field: %q", b)
	}
	f.Name, f.Value = name, value
	return nil
}

// message is a request as read from the socket.
type message struct {
	method, target, proto string
	fields                []Field
	length                int64 // of the body; -1 when chunked
	close                 bool
}

// readHead reads one request head with a reader of its own. It shares nothing
// with Portreeve's head check, which it is there to observe, and refuses every
// framing that two readers could understand differently (RFC 9112 sections 2.2,
// 3, 5.2, 6.3): an upstream that guesses is how requests are smuggled.
func readHead(r *bufio.Reader) (*message, error) {
	budget := maxHead
	line, err := readLine(r, &budget)
	if err != nil {
		return nil, noEOF(err)
	}
	parts := strings.Split(line, " ")
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" || parts[2] != "HTTP/1.1" && parts[2] != "HTTP/1.0" {
		return nil, fmt.Errorf("request line %q", line)
	}
	m := &message{method: parts[0], target: parts[1], proto: parts[2]}
	for {
		line, err := readLine(r, &budget)
		if err != nil {
			return nil, noEOF(err)
		}
		if line == "" {
			return m, m.frame()
		}
		f, err := readField(line)
		if err != nil {
			return nil, err
		}
		m.fields = append(m.fields, f)
	}
}

func readField(line string) (Field, error) {
	name, value, ok := strings.Cut(line, ":")
	if !ok || name == "" || strings.ContainsAny(name, " \t") {
		return Field{}, fmt.Errorf("header line %q", line)
	}
	return Field{name, strings.Trim(value, " \t")}, nil
}

// readLine reads up to CRLF and refuses a bare CR, a bare LF and NUL.
func readLine(r *bufio.Reader, budget *int) (string, error) {
	var b []byte
	for {
		part, err := r.ReadSlice('\n')
		*budget -= len(part)
		if *budget < 0 {
			return "", errors.New("head too large")
		}
		b = append(b, part...)
		if err == nil {
			break
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return "", err
		}
	}
	s, ok := strings.CutSuffix(string(b), "\r\n")
	if !ok || strings.ContainsAny(s, "\r\x00") {
		return "", fmt.Errorf("line not ended by CRLF alone: %q", b)
	}
	return s, nil
}

// noEOF is for the end of the stream inside a message, which is a cut and not
// an end.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (m *message) all(name string) []string {
	var out []string
	for _, f := range m.fields {
		if strings.EqualFold(f.Name, name) {
			out = append(out, f.Value)
		}
	}
	return out
}

// frame finds how the body ends, and refuses doubt.
func (m *message) frame() error {
	if n := len(m.all("Host")); n != 1 && m.proto == "HTTP/1.1" {
		return fmt.Errorf("%d Host fields", n)
	}
	lengths, codings := m.all("Content-Length"), m.all("Transfer-Encoding")
	switch {
	case len(lengths) > 0 && len(codings) > 0:
		return errors.New("both Content-Length and Transfer-Encoding")
	case len(lengths) > 1 || len(codings) > 1:
		return errors.New("repeated framing field")
	case len(codings) == 1:
		if codings[0] != "chunked" {
			return fmt.Errorf("transfer coding %q", codings[0])
		}
		m.length = -1
	case len(lengths) == 1:
		n, err := strconv.ParseUint(lengths[0], 10, 63)
		if err != nil || strings.HasPrefix(lengths[0], "+") {
			return fmt.Errorf("Content-Length %q", lengths[0])
		}
		m.length = int64(n)
	}
	m.close = m.proto == "HTTP/1.0"
	for _, v := range m.all("Connection") {
		for option := range strings.SplitSeq(v, ",") {
			m.close = m.close || strings.EqualFold(strings.Trim(option, " \t"), "close")
		}
	}
	return nil
}

// copyBody hands the body's bytes to w and returns their number and the
// trailer fields of a chunked one.
func (m *message) copyBody(w io.Writer, r *bufio.Reader) (int64, []Field, error) {
	if m.length >= 0 {
		n, err := io.CopyN(w, r, m.length)
		return n, nil, noEOF(err)
	}
	budget, total := maxHead, int64(0)
	for {
		size, err := readChunkSize(r)
		if err != nil {
			return total, nil, noEOF(err)
		}
		if size == 0 {
			trailers, err := readTrailers(r, &budget)
			return total, trailers, noEOF(err)
		}
		n, err := io.CopyN(w, r, size)
		total += n
		if err != nil {
			return total, nil, noEOF(err)
		}
		one := 2
		if end, err := readLine(r, &one); err != nil || end != "" {
			return total, nil, errors.New("chunk not ended by CRLF")
		}
	}
}

func readChunkSize(r *bufio.Reader) (int64, error) {
	budget := 4 << 10
	line, err := readLine(r, &budget)
	if err != nil {
		return 0, err
	}
	digits, _, _ := strings.Cut(line, ";")
	n, err := strconv.ParseUint(digits, 16, 62)
	if err != nil || strings.HasPrefix(digits, "+") {
		return 0, fmt.Errorf("chunk size %q", line)
	}
	return int64(n), nil
}

func readTrailers(r *bufio.Reader, budget *int) ([]Field, error) {
	var out []Field
	for {
		line, err := readLine(r, budget)
		if err != nil || line == "" {
			return out, err
		}
		f, err := readField(line)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
}
