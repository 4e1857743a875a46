package config

import "time"

// List is a list in whose place one value may stand for a list of one. (Every
// slice allows that; the name says it to the reader.)
type List[T any] []T

// Duration is a time span written as Go writes it ("1500ms", "10m", "24h") or
// in whole days ("30d"). Never negative.
type Duration time.Duration

// Std is the span as the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// Or is d, or other where d is zero.
func (d Duration) Or(other time.Duration) time.Duration {
	if d == 0 {
		return other
	}
	return time.Duration(d)
}

func (d Duration) String() string { return time.Duration(d).String() }

// Size is a number of bytes, written as a whole number or with a unit: KB, MB,
// GB (powers of 1000), KiB, MiB, GiB (powers of 1024). Never negative.
type Size int64

// URL is the text of a URL. Values from outside inside it are percent-encoded
// for the part they stand in; one that is the whole value, or its beginning
// with scheme and host, is taken as it is.
type URL string

func (u URL) String() string { return string(u) }
