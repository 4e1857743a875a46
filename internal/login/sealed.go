package login

import (
	"encoding/json"
	"fmt"

	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/vault"
)

// purpose is what everything here is sealed for.
const purpose = "login"

// Sealed lists the columns that hold sealed values, for the checks of master keys
// and for resealing.
func Sealed() []vault.Column {
	always := func(string) string { return purpose }
	return []vault.Column{
		{Table: "login_starts", Column: "sealed", Row: []string{"state"}, Purpose: always},
		{Table: "login_codes", Column: "sealed", Row: []string{"code"}, Purpose: always},
		{Table: "login_held", Column: "sealed", Row: []string{"token"}, Purpose: always},
	}
}

func (s *Service) sealJSON(table, row string, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return s.d.Keys.Seal(placeOf(table, row), plain)
}

func (s *Service) openJSON(table, row string, sealed []byte, into any) error {
	plain, err := s.d.Keys.Open(placeOf(table, row), sealed)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(plain, into); err != nil {
		return fmt.Errorf("read %s: %w", table, err)
	}
	return nil
}

func placeOf(table, row string) seal.Place {
	return seal.Place{Purpose: purpose, Table: table, Column: "sealed", Row: seal.RowOf(row)}
}
