package sms

import (
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// maxPhone bounds what is read as a number: more than any way of writing one takes.
const maxPhone = 100

// number is a telephone number that may get a text.
type number struct{ e164 string }

// read reads a number in any usual way of writing one, as people of the first
// region would dial it. The error is ErrNumber or ErrRegion.
func read(to string, regions []string) (number, error) {
	if len(to) > maxPhone || strings.TrimSpace(to) == "" {
		return number{}, ErrNumber
	}
	n, err := phonenumbers.Parse(to, regions[0])
	if err != nil || !phonenumbers.IsValidNumber(n) {
		return number{}, ErrNumber
	}
	if !slices.Contains(regions, phonenumbers.GetRegionCodeForNumber(n)) {
		return number{}, ErrRegion
	}
	switch phonenumbers.GetNumberType(n) {
	case phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE, phonenumbers.VOIP:
		return number{phonenumbers.Format(n, phonenumbers.E164)}, nil
	}
	return number{}, ErrNumber
}

// prefix is the number without its last four digits: a block of ten thousand. A
// shorter number is its own.
func (n number) prefix() string {
	if len(n.e164) > 8 {
		return n.e164[:len(n.e164)-4]
	}
	return n.e164
}

// shown is the number as the log has it.
func (n number) shown() string {
	return "…" + n.e164[max(0, len(n.e164)-2):]
}
