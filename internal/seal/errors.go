package seal

import (
	"errors"

	"github.com/portreeve/portreeve/internal/fault"
)

// What can be wrong; compare with errors.Is. The texts for the log never quote a
// key or a value, and callers are told nothing.
var (
	// ErrNoKey: there is no master key, or none with the id that the value names.
	ErrNoKey = fault.New(fault.Internal, "no_master_key", "")
	// ErrDamaged: the value was changed, cut, moved from another place or sealed under another key of the same id.
	ErrDamaged = fault.New(fault.Internal, "sealed_value_damaged", "")
)

func noKey(text string) error {
	return fault.Wrap(fault.Internal, ErrNoKey.Code, "", errors.New(text))
}

func damaged(text string) error {
	return fault.Wrap(fault.Internal, ErrDamaged.Code, "", errors.New(text))
}
