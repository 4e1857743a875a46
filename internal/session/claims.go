package session

import (
	"encoding/json"

	"github.com/portreeve/portreeve/internal/jws"
)

// decodeClaims reads stored claims, numbers as they were written.
func decodeClaims(raw []byte) (map[string]any, error) { return jws.DecodeObject(raw, jws.MaxToken) }

// marshalClaims writes claims in one order.
func marshalClaims(m map[string]any) ([]byte, error) { return json.Marshal(m) }
