package escrow

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// A stolen machine token does not fill the disk: what its tenant may hand over on
// a day is bounded, for as many callers as there are. The next day, and the next
// tenant, have their own.
func TestMachinesHandOverSoMuchADay(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		by := func(tenant string) By {
			return By{Tenant: tenant, Actor: audit.Actor{Kind: audit.Host}, PerDay: 2 << 20}
		}
		report := func(id string) Report {
			r, err := ReadReport([]byte(fmt.Sprintf(`{"machine":"PC-1","run":{"id":%q,"status":"failed","phases":[{"name":"a","status":"failed","message":%q}]}}`, id, strings.Repeat("x", 8000))))
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		var kept, refused atomic.Int64
		try := func(tenant, id string) error {
			_, _, err := h.s.Report(t.Context(), by(tenant), report(id))
			return err
		}
		storetest.Callers(t, 16, func(i int) error {
			for j := range 12 {
				switch err := try("main", fmt.Sprintf("r-%d-%d", i, j)); {
				case err == nil:
					kept.Add(1)
				case errors.Is(err, ErrSpent):
					refused.Add(1)
				default:
					return err
				}
			}
			return nil
		})
		one := report("r-1-1")
		size := int64(one.size() + rowBytes)
		if kept.Load() < (2<<20)/size-1 || kept.Load() > (2<<20)/size+1 || kept.Load()+refused.Load() != 16*12 {
			t.Errorf("%d of %d bytes kept, %d refused", kept.Load(), size, refused.Load())
		}
		if err := try("other", "r"); err != nil {
			t.Errorf("another tenant: %v", err)
		}
		if err := try("main", "r-0-0"); err != nil && !errors.Is(err, ErrSpent) {
			t.Errorf("the same again: %v", err)
		}
		h.clock.add(24 * time.Hour)
		if err := try("main", "tomorrow"); err != nil {
			t.Errorf("the next day: %v", err)
		}
	})
}
