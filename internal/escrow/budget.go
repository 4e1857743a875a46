package escrow

import (
	"cmp"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/store"
)

// A tenant's machines can hand over so many bytes on one day (UTC): nothing that
// they send is ever deleted, and a token that was stolen must not fill the disk
// that all tenants share.
const (
	defaultPerDay = 1 << 30
	rowBytes      = 512 // what a row costs besides what it holds
)

// ErrSpent says that a tenant's machines have handed over enough for today.
var ErrSpent = fault.New(fault.TooManyRequests, "escrow_budget", "The tenant's machines have handed over as much as they may on one day")

// spend takes n bytes off the day's budget.
func spend(tx *store.Tx, by By, n int, now time.Time) error {
	const day = 24 * time.Hour
	today := now.UnixMilli() / day.Milliseconds()
	if _, err := tx.Exec(`DELETE FROM escrow_taken WHERE tenant_id = $1 AND day < $2`, by.Tenant, today); err != nil {
		return err
	}
	done, err := tx.Exec(`INSERT INTO escrow_taken (tenant_id, day, bytes) VALUES ($1, $2, $3)
		ON CONFLICT (tenant_id, day) DO UPDATE SET bytes = escrow_taken.bytes + excluded.bytes WHERE escrow_taken.bytes + excluded.bytes <= $4`,
		by.Tenant, today, n+rowBytes, cmp.Or(by.PerDay, defaultPerDay))
	if err != nil {
		return err
	}
	if done == 0 {
		f := *ErrSpent
		f.RetryAfter = now.Truncate(day).Add(day).Sub(now)
		return &f
	}
	return nil
}
