package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/escrow"
	"github.com/portreeve/portreeve/internal/escrow/ends"
)

// machine is one of the fleet: its group, how often it reports, and every which of
// its runs fails (0: none does).
type machine struct {
	host, group, serial string
	hours, fails        int
}

var fleet = []machine{
	{"laptop-anna", "laptops", "C02F91XJ0N", 26, 0}, {"laptop-bela", "laptops", "C02F93QK7M", 31, 6}, {"laptop-chidi", "laptops", "C02FA0WZ1T", 29, 0},
	{"laptop-dora", "laptops", "C02FB7HH5R", 40, 0}, {"laptop-emeka", "laptops", "C02FC2LD9V", 52, 4}, {"build-01", "build", "BX-1180", 14, 9},
	{"build-02", "build", "BX-1181", 14, 0}, {"build-03", "build", "BX-1195", 17, 3}, {"till-berlin-1", "tills", "T7-00412", 24, 0},
	{"till-berlin-2", "tills", "T7-00413", 24, 0}, {"till-lagos-1", "tills", "T7-00588", 25, 7}, {"kiosk-lobby", "", "K-0092", 71, 2},
}

const fleetDays = 14

// lived is the fleet's last fortnight: the reports of its machines, when they came
// in. clock is what the store goes by meanwhile.
func lived(ctx context.Context, h *app.Host, clock *time.Time) error {
	type report struct {
		at time.Time
		machine
		n int
	}
	var all []report
	now := time.Now().UTC().Truncate(time.Second)
	for _, m := range fleet {
		n := 0
		for at := now.Add(-fleetDays*24*time.Hour + time.Duration(len(m.host))*37*time.Minute); at.Before(now.Add(-5 * time.Minute)); at = at.Add(time.Duration(m.hours) * time.Hour) {
			n++
			all = append(all, report{at, m, n})
		}
	}
	slices.SortFunc(all, func(a, b report) int { return a.at.Compare(b.at) })
	for _, r := range all {
		body, err := json.Marshal(map[string]any{"machine": r.ref(), "run": run(r.machine, r.n, r.at)})
		if err != nil {
			return err
		}
		said, err := escrow.ReadReport(body)
		if err != nil {
			return err
		}
		*clock = r.at.Add(2 * time.Minute)
		if _, _, err := h.Escrow.Report(ctx, escrow.By{Tenant: h.DefaultTenant(), Actor: h.Actor()}, said); err != nil {
			return err
		}
	}
	return nil
}

// ref is how a machine calls itself.
func (m machine) ref() map[string]string {
	return map[string]string{"hostname": m.host, "serial": m.serial, "group": m.group}
}

// handOver has machines hand over a secret each, sealed to the tenant's key.
func (d *Demo) handOver(key *ends.Key) error {
	engine, err := d.read("engine")
	if err != nil {
		return err
	}
	for _, m := range fleet {
		kind := map[string]string{"laptops": "filevault-recovery", "build": "ssh-host-key", "tills": "bios-password"}[m.group]
		if kind == "" {
			continue
		}
		sealed, err := ends.Seal(key.Public, ends.Binding{Tenant: "main", Machine: m.host, Kind: kind}, []byte(passphrase()))
		if err != nil {
			return err
		}
		if err := d.send(engine, "/v1/secret", map[string]any{"machine": m.ref(), "kind": kind, "label": "made by set-up", "ciphertext": sealed}); err != nil {
			return err
		}
	}
	return nil
}

// run is the nth run of a machine.
func run(m machine, n int, at time.Time) map[string]any {
	type phase struct {
		Name    string `json:"name"`
		Status  string `json:"status"`
		Message string `json:"message,omitempty"`
	}
	status, took := "succeeded", time.Duration(40+7*n%90)*time.Second
	phases := []phase{{"fetch configuration", "succeeded", ""}, {"install updates", "succeeded", fmt.Sprintf("%d packages", 3+n%11)}, {"encrypt disk", "succeeded", ""}, {"report", "succeeded", ""}}
	if m.fails > 0 && n%m.fails == 0 {
		status = "failed"
		phases[1] = phase{"install updates", "failed", "E: the repository deb.example.com cannot be reached: connection timed out"}
		phases = phases[:2]
	}
	return map[string]any{"id": fmt.Sprintf("%s-%03d", m.host, n), "status": status, "startedAt": at.Format(time.RFC3339),
		"finishedAt": at.Add(took).Format(time.RFC3339), "phases": phases}
}

// send posts as the machines' engine does.
func (d *Demo) send(head, path string, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	resp, err := d.ask("POST", d.at("escrow", path), head, string(raw))
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("POST %s answered %s: %s", path, resp.Status, strings.TrimSpace(string(resp.body)))
	}
	return err
}
