package escrow

import (
	"context"
	"strconv"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store"
)

const (
	standardPage = 20
	largestPage  = 100
)

// words reads query parameters that are one line each, or absent.
func words(c *gateway.Call, names ...string) (map[string]string, error) {
	out := map[string]string{}
	var f input.Fields
	for _, name := range names {
		v, _, err := input.Query(c.View, name)
		if err != nil {
			return nil, err
		}
		if !line(v, 0, maxHostname) {
			f.Add(name, "must be one line of at most 255 characters")
		}
		out[name] = v
	}
	return out, f.Err()
}

// pageFor reads a page of something that takes a permission.
func pageFor[T, V any](ctx context.Context, u *surface, c *gateway.Call, p Person, permission string, filters []string, view func(T) V,
	list func(tx *store.Tx, q map[string]string, page input.Page) ([]T, int, error)) (request.Reply, error) {
	var rows []T
	var total int
	var page input.Page
	err := u.s.d.DB.Read(ctx, func(tx *store.Tx) error {
		if err := u.s.may(tx, p, permission); err != nil {
			return err
		}
		q, err := words(c, filters...)
		if err != nil {
			return err
		}
		if page, err = input.PageOf(c.View, standardPage, largestPage); err != nil {
			return err
		}
		rows, total, err = list(tx, q, page)
		return err
	})
	if err != nil {
		return request.Reply{}, err
	}
	views := make([]V, len(rows))
	for i, r := range rows {
		views[i] = view(r)
	}
	return gateway.JSON(200, input.ListOf(views, page, total)), nil
}

func (u *surface) listMachines(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	return pageFor(ctx, u, c, p, seeMachines, []string{"search", "group", "status", "seenSince", "seenBefore"}, viewMachine,
		func(tx *store.Tx, q map[string]string, page input.Page) (_ []machineRow, _ int, err error) {
			var wrong input.Fields
			f := machineFilter{search: q["search"], group: q["group"], status: q["status"], since: timeIn(&wrong, q, "seenSince"), until: timeIn(&wrong, q, "seenBefore")}
			if f.status != "" && f.status != noRun && !known(f.status) {
				wrong.Add("status", "must be running, succeeded, failed or none")
			}
			if err := wrong.Err(); err != nil {
				return nil, 0, err
			}
			if f.secrets, err = u.s.holds(tx, p, seeSecrets); err != nil {
				return nil, 0, err
			}
			return listMachines(tx, p.Tenant, f, page)
		})
}

// timeIn reads a parameter that is a time; zero where it is "".
func timeIn(f *input.Fields, q map[string]string, name string) (t time.Time) {
	if q[name] == "" {
		return t
	}
	t, err := time.Parse(time.RFC3339, q[name])
	if err != nil || t.Year() < 1971 || t.Year() > 9998 {
		f.Add(name, "must be a time like 2026-11-21T12:00:05Z")
	}
	return t
}

// flag reads a parameter that is true or false.
func flag(f *input.Fields, q map[string]string, name string, unset bool) bool {
	switch q[name] {
	case "":
		return unset
	case "true", "false":
	default:
		f.Add(name, "must be true or false")
	}
	return q[name] == "true"
}

func known(status string) bool { return status == Running || status == Succeeded || status == Failed }

func (u *surface) machine(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	var m machineRow
	err := u.s.d.DB.Read(ctx, func(tx *store.Tx) (err error) {
		if err := u.s.may(tx, p, seeMachines); err != nil {
			return err
		}
		if m, err = machineRowOf(tx, p.Tenant, param(c, "id")); err != nil {
			return err
		}
		switch ok, err := u.s.holds(tx, p, seeSecrets); {
		case err != nil:
			return err
		case ok:
			return m.countSecrets(tx, p.Tenant)
		}
		return nil
	})
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, viewMachine(m)), nil
}

// listRuns narrows by machine, a part of its names, id and status; last=true is each machine's last run
// alone, order=worst puts the failed ones first, detail=false leaves out what is
// long.
func (u *surface) listRuns(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	return pageFor(ctx, u, c, p, seeMachines, []string{"machine", "search", "id", "status", "last", "order", "detail"}, viewRun,
		func(tx *store.Tx, q map[string]string, page input.Page) ([]runRow, int, error) {
			var wrong input.Fields
			f := runFilter{machine: q["machine"], search: q["search"], id: q["id"], status: status(q["status"]), last: flag(&wrong, q, "last", false), worst: q["order"] == "worst",
				brief: !flag(&wrong, q, "detail", true)}
			if o := q["order"]; o != "" && o != "newest" && o != "worst" {
				wrong.Add("order", "must be newest or worst")
			}
			if err := wrong.Err(); err != nil {
				return nil, 0, err
			}
			return listRuns(tx, p.Tenant, f, page)
		})
}

func (u *surface) listSecrets(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	return pageFor(ctx, u, c, p, seeSecrets, []string{"machine", "kind"}, viewSecret, func(tx *store.Tx, q map[string]string, page input.Page) ([]secretRow, int, error) {
		return listSecrets(tx, p.Tenant, q["machine"], q["kind"], page)
	})
}

func (u *surface) listConfigs(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	return pageFor(ctx, u, c, p, setConfigs, []string{"search"}, viewConfig, func(tx *store.Tx, q map[string]string, page input.Page) ([]MachineConfig, int, error) {
		return listConfigs(tx, p.Tenant, q["search"], page)
	})
}

func (u *surface) configVersions(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	return pageFor(ctx, u, c, p, setConfigs, nil, viewConfig, func(tx *store.Tx, _ map[string]string, page input.Page) ([]MachineConfig, int, error) {
		return configVersions(tx, p.Tenant, param(c, "name"), page)
	})
}

// readConfig is the latest version, or the one that ?version= names. Its ETag is that
// of the version, so that a change that names an older one's is refused.
func (u *surface) readConfig(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	var m MachineConfig
	err := u.s.d.DB.Read(ctx, func(tx *store.Tx) (err error) {
		if err := u.s.may(tx, p, setConfigs); err != nil {
			return err
		}
		text, asked, err := input.Query(c.View, "version")
		switch n, wrong := strconv.Atoi(text); {
		case err != nil:
			return err
		case !asked:
			m, err = selectConfig(tx, p.Tenant, param(c, "name"))
		case wrong != nil || n < 1 || n > mostVersions:
			return input.Invalid("version", "must be the number of a version")
		default:
			m, err = configVersion(tx, p.Tenant, param(c, "name"), n)
		}
		return err
	})
	if err != nil {
		return request.Reply{}, err
	}
	return input.WithTag(gateway.JSON(200, viewConfig(m)), m.etag()), nil
}

func (u *surface) createConfig(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	if err := u.first(ctx, p, setConfigs); err != nil {
		return request.Reply{}, err
	}
	m, _, err := readConfig(c.Body, "")
	if err != nil {
		return request.Reply{}, err
	}
	if m, err = u.s.CreateConfig(ctx, p, m); err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(201, viewConfig(m)), nil
}

func (u *surface) changeConfig(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	if err := u.first(ctx, p, setConfigs); err != nil {
		return request.Reply{}, err
	}
	name := param(c, "name")
	if !named(name) {
		return request.Reply{}, ErrNotFound
	}
	m, base, err := readConfig(c.Body, name)
	if err != nil {
		return request.Reply{}, err
	}
	if m, err = u.s.ChangeConfig(ctx, p, m, base, input.MatchOf(c.View)); err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, viewConfig(m)), nil
}

// audit is the tenant's trail, the newest first.
func (u *surface) audit(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	if err := u.first(ctx, p, seeAudit); err != nil {
		return request.Reply{}, err
	}
	q, err := words(c, "action", "target", "result", "actor", "email", "from", "to")
	if err != nil {
		return request.Reply{}, err
	}
	page, err := input.PageOf(c.View, standardPage, largestPage)
	if err != nil {
		return request.Reply{}, err
	}
	f := audit.Filter{Action: q["action"], Target: q["target"], Result: q["result"], Actor: q["actor"], Email: q["email"]}
	var wrong input.Fields
	f.From, f.To = timeIn(&wrong, q, "from"), timeIn(&wrong, q, "to")
	if err := wrong.Err(); err != nil {
		return request.Reply{}, err
	}
	list, total, err := u.s.d.Audit.Page(ctx, p.Tenant, f, page.Limit, page.Offset)
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, input.ListOf(list, page, int(total))), nil
}
