package userservice

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"
)

// User is what the service knows of somebody.
type User struct {
	ID, Status string
	Raw        json.RawMessage // the whole record
}

// NewUser is who signed up.
type NewUser struct {
	ID         string          `json:"id"` // the provider's subject
	Email      string          `json:"email"`
	Username   string          `json:"username,omitempty"`
	GivenName  string          `json:"given_name,omitempty"`
	FamilyName string          `json:"family_name,omitempty"`
	Name       string          `json:"name,omitempty"`
	Nickname   string          `json:"nickname,omitempty"`
	Picture    string          `json:"picture,omitempty"`
	Phone      string          `json:"phone_number,omitempty"`
	Metadata   json.RawMessage `json:"user_metadata,omitempty"` // an object, or nil
}

const (
	longestID     = 512
	longestStatus = 64
	deepest       = 32
)

var errNoRecord = errors.New("its answer is no record of a user with id and status")

// readUser reads an answer; nil where it says that there is nobody.
func readUser(body []byte) (*User, error) {
	body = bytes.TrimSpace(body)
	if !json.Valid(body) || !utf8.Valid(body) || deep(body) {
		return nil, errNoRecord
	}
	if body[0] == '[' {
		var list []json.RawMessage
		if err := json.Unmarshal(body, &list); err != nil || len(list) > 1 {
			return nil, errNoRecord // of two, nobody knows which counts
		}
		if len(list) == 0 {
			return nil, nil
		}
		body = list[0]
	}
	if string(body) == "null" {
		return nil, nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return nil, errNoRecord
	}
	if len(members) == 0 {
		return nil, nil
	}
	u := &User{ID: idOf(members["id"]), Raw: body}
	err := json.Unmarshal(members["status"], &u.Status)
	u.Status = strings.TrimSpace(u.Status)
	if err != nil || u.ID == "" || u.Status == "" || len(u.ID) > longestID || len(u.Status) > longestStatus || twice(body) {
		return nil, errNoRecord
	}
	return u, nil
}

var wholeNumber = regexp.MustCompile(`^[0-9]{1,20}$`)

// idOf is an id: a text, or a whole number.
func idOf(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	if wholeNumber.Match(raw) {
		return string(raw)
	}
	return ""
}

// deep reports nesting that whoever reads the record after us might not take.
func deep(body []byte) bool {
	d := json.NewDecoder(bytes.NewReader(body))
	for depth := 0; ; {
		t, err := d.Token()
		if err != nil {
			return false // the end: the text is valid
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > deepest {
				return true
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}

// twice reports whether id or status stands twice in the record:
// of two, another reader takes the other.
func twice(body []byte) bool {
	d := json.NewDecoder(bytes.NewReader(body))
	seen := map[string]int{}
	_, _ = d.Token() // {
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return true
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return true
		}
		if s, _ := name.(string); s == "id" || s == "status" {
			seen[s]++
		}
	}
	return seen["id"] > 1 || seen["status"] > 1
}
