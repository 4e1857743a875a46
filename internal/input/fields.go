package input

import (
	"encoding/json"

	"github.com/portreeve/portreeve/internal/fault"
)

// maxDetails bounds how many problems one answer lists.
const maxDetails = 32

// Fields collects what is wrong with a body. The zero Fields is ready.
type Fields struct{ details []fault.Detail }

// Add notes that a field is wrong; issue says what would be right.
func (f *Fields) Add(field, issue string) {
	if len(f.details) < maxDetails {
		f.details = append(f.details, fault.Detail{Field: field, Issue: issue})
	}
}

// Require notes a field that is missing.
func (f *Fields) Require(field string, there bool) {
	if !there {
		f.Add(field, "is required")
	}
}

// Err is "Validation failed" with the details, nil where there are none.
func (f *Fields) Err() error {
	if len(f.details) == 0 {
		return nil
	}
	e := fault.New(fault.BadRequest, "validation_failed", "")
	e.Details = f.details
	return e
}

// Invalid is the error for one field.
func Invalid(field, issue string) error {
	var f Fields
	f.Add(field, issue)
	return f.Err()
}

// Optional tells a member that is absent from one that is null, which for some
// members mean different things (expiresAt).
type Optional[T any] struct {
	Set, Null bool
	Value     T
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *Optional[T]) UnmarshalJSON(raw []byte) error {
	o.Set = true
	if string(raw) == "null" {
		o.Null = true
		return nil
	}
	return json.Unmarshal(raw, &o.Value)
}
