package session

import (
	"encoding/json"
	"fmt"

	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/vault"
)

// purpose is what everything here is sealed for.
const purpose = "session"

// Sealed lists the columns that hold sealed values, for the checks of master keys
// and for resealing.
func Sealed() []vault.Column {
	always := func(string) string { return purpose }
	return []vault.Column{
		{Table: "sessions", Column: "facts", Row: []string{"id"}, Purpose: always},
		{Table: "sessions", Column: "refresh", Row: []string{"id"}, Purpose: always},
		{Table: "session_starts", Column: "sealed", Row: []string{"state"}, Purpose: always},
	}
}

func place(table, column, row string) seal.Place {
	return seal.Place{Purpose: purpose, Table: table, Column: column, Row: row}
}

// sealJSON seals a value as JSON.
func (s *Service) sealJSON(p seal.Place, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return s.d.Keys.Seal(p, plain)
}

// openJSON opens what sealJSON sealed.
func (s *Service) openJSON(p seal.Place, sealed []byte, into any) error {
	plain, err := s.d.Keys.Open(p, sealed)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(plain, into); err != nil {
		return fmt.Errorf("read %s.%s: %w", p.Table, p.Column, err)
	}
	return nil
}

// sealRefresh seals a refresh token; none is nil.
func (s *Service) sealRefresh(id, token string) ([]byte, error) {
	if token == "" {
		return nil, nil
	}
	return s.d.Keys.Seal(place("sessions", "refresh", id), []byte(token))
}
