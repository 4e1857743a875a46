package surfaces

import (
	"strings"

	"github.com/portreeve/portreeve/internal/apikey"
	"github.com/portreeve/portreeve/internal/input"
)

// off is the change that disables a key.
func off() apikey.Draft { return apikey.Draft{Disabled: input.Optional[bool]{Set: true, Value: true}} }

func replace(s, old, with string) string { return strings.ReplaceAll(s, old, with) }
