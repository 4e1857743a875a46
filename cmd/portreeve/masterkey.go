package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/seal"
)

type masterkeyCmd struct {
	New    masterkeyNewCmd    `cmd:"" help:"Print a new master key."`
	Rotate masterkeyRotateCmd `cmd:"" help:"Seal everything anew under the first key of masterKeys."`
	Status masterkeyStatusCmd `cmd:"" help:"How many values are sealed under which key."`
}

// Help is shown by --help.
func (masterkeyCmd) Help() string {
	return `Example:
  portreeve masterkey new | portreeve secrets put master-key`
}

type masterkeyNewCmd struct{}

// Help is shown by --help.
func (masterkeyNewCmd) Help() string {
	return `Example:
  portreeve masterkey new | portreeve secrets put master-key

Then write  masterKey: "{{file.secrets/master-key}}"  into the configuration.
Keep a copy where the store's backups are not: what is sealed opens with no
other key.`
}

// Run prints a key.
func (masterkeyNewCmd) Run(s streams) error {
	_, err := fmt.Fprintln(s.out, seal.NewKey())
	return err
}

type masterkeyRotateCmd struct {
	configFlag
	listFlag
}

// Help is shown by --help.
func (masterkeyRotateCmd) Help() string {
	return `Example:
  portreeve masterkey new | portreeve secrets put master-key-2
  # masterKeys: [{key: "{{file.secrets/master-key-2}}"}, {key: "{{file.secrets/master-key}}"}]
  # then restart what serves, so that it knows both
  portreeve masterkey rotate

Works beside a serving process, in batches; may be stopped and started again.
When status says that nothing is sealed under the old key, take it off the list.`
}

// Run seals anew.
func (c masterkeyRotateCmd) Run(s streams) error {
	return onStore(s, c.configFlag, func(ctx context.Context, h *app.Host) error {
		list, err := h.RotateMasterKey(ctx)
		if err != nil {
			return err
		}
		type line struct {
			Column string `json:"column"`
			Done   int64  `json:"resealed"`
			Failed int64  `json:"failed"`
		}
		var lines []line
		var failed error
		for _, r := range list {
			lines = append(lines, line{r.Column.String(), r.Done, r.Failed})
			if r.Failed > 0 {
				failed = errors.Join(failed, fmt.Errorf("%d values of %s do not open: %w", r.Failed, r.Column, r.Err))
			}
		}
		if c.JSON {
			return errors.Join(printJSON(s.out, lines), failed)
		}
		for _, l := range lines {
			fmt.Fprintf(s.out, "%s: %s sealed anew\n", l.Column, counted(int(l.Done), "value"))
		}
		if failed == nil {
			fmt.Fprintf(s.out, "everything is sealed under %s\n", h.Sealed.First())
		}
		return failed
	})
}

type masterkeyStatusCmd struct {
	configFlag
	listFlag
}

// Help is shown by --help.
func (masterkeyStatusCmd) Help() string {
	return `Example:
  portreeve masterkey status`
}

// Run counts what is sealed under which key.
func (c masterkeyStatusCmd) Run(s streams) error {
	return onStore(s, c.configFlag, func(ctx context.Context, h *app.Host) error {
		keys, columns, err := h.SealedBy(ctx)
		if err != nil {
			return err
		}
		type line struct {
			Key    string           `json:"key"`
			State  string           `json:"state"`
			Values map[string]int64 `json:"values"`
		}
		lines := map[string]*line{}
		for i, id := range keys.IDs() {
			lines[id] = &line{Key: id, State: map[bool]string{true: "seals", false: "opens"}[i == 0], Values: map[string]int64{}}
		}
		for _, col := range columns {
			for id, n := range col.Keys {
				if lines[id] == nil {
					lines[id] = &line{Key: dash(id), State: "not listed", Values: map[string]int64{}}
				}
				lines[id].Values[col.Column.String()] = n
			}
		}
		order := keys.IDs()
		for _, id := range slices.Sorted(maps.Keys(lines)) {
			if !slices.Contains(order, id) {
				order = append(order, id)
			}
		}
		all, rows := []*line{}, [][]string{}
		for _, id := range order {
			l, sum := lines[id], int64(0)
			for _, n := range l.Values {
				sum += n
			}
			all = append(all, l)
			rows = append(rows, []string{l.Key, l.State, strconv.FormatInt(sum, 10)})
		}
		if c.JSON {
			return printJSON(s.out, all)
		}
		table(s.out, []string{"KEY", "STATE", "VALUES"}, rows)
		return nil
	})
}
