package metric

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"github.com/portreeve/portreeve/internal/fault"
)

const (
	longestBody = 32 << 10
	mostEvents  = 500 // of one body
)

func malformed(text string) *fault.Error { return fault.New(fault.BadRequest, "invalid_request", text) }

// parse cuts a body into its events, each as it came.
func parse(body []byte) ([]json.RawMessage, *fault.Error) {
	if len(body) > longestBody {
		return nil, fault.New(fault.TooLarge, "body_too_large", "")
	}
	body = bytes.TrimSpace(bytes.Clone(body)) // whose the bytes are is not known
	if !utf8.Valid(body) || !json.Valid(body) {
		return nil, malformed("The body is not JSON")
	}
	events := []json.RawMessage{body}
	if body[0] == '[' {
		if err := json.Unmarshal(body, &events); err != nil {
			return nil, malformed("The body is not JSON")
		}
		if len(events) > mostEvents {
			return nil, malformed("The list holds more than 500 events")
		}
	}
	for _, e := range events {
		if len(e) == 0 || e[0] != '{' {
			return nil, malformed("An event is a JSON object")
		}
	}
	return events, nil
}
