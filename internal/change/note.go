package change

import (
	"fmt"
	"strings"

	"github.com/portreeve/portreeve/internal/store"
)

// Kind is what sort of thing changed.
type Kind string

// The kinds.
const (
	Tenant   Kind = "tenant"
	User     Kind = "user"
	Identity Kind = "identity"
	Role     Kind = "role"
	Key      Kind = "key"
	Secret   Kind = "secret"
	Session  Kind = "session"
	Factor   Kind = "factor"
	Agent    Kind = "agent"
)

// channel is where PostgreSQL announces that there are changes.
const channel = "portreeve_changes"

// most is how many changes of one transaction are told one by one. An import of
// a hundred thousand users is told as "everything" instead.
const most = 1024

// chunk is how many rows one INSERT writes: engines bound the parameters.
const chunk = 256

type entry struct {
	tenant string
	kind   Kind
	id     string
}

// everything is the entry that lets nothing hold.
var everything = entry{}

type notesKey struct{}

type notes struct {
	seen map[entry]bool
	list []entry
}

// Note says that the transaction changes the thing of that kind with that id,
// and so also the list of its kind: what was remembered under SlotOf(tenant,
// kind, id) or SlotOf(tenant, kind, "") holds no longer once it has committed.
// An id of "" is the list alone.
func Note(tx *store.Tx, tenant string, kind Kind, id string) {
	n, _ := tx.Keep(notesKey{}, func() any {
		tx.Last(store.VeryLast(), write)
		return &notes{seen: map[entry]bool{}}
	}).(*notes)
	e := entry{tenant, kind, id}
	if len(n.list) > most || n.seen[e] {
		return
	}
	n.seen[e] = true
	n.list = append(n.list, e)
}

// write numbers what was noted. From its second statement on no other
// transaction with changes can commit until this one has, which is why it
// comes last and the notice first.
func write(tx *store.Tx) error {
	n, _ := tx.Keep(notesKey{}, func() any { return &notes{} }).(*notes)
	list := n.list
	if len(list) > most {
		list = []entry{everything}
	}
	if err := tx.Notify(channel); err != nil {
		return fmt.Errorf("announce changes: %w", err)
	}
	var seq int64
	if err := tx.Row(`UPDATE change_counter SET seq = seq + $1 WHERE id = 1 RETURNING seq`, len(list)).Scan(&seq); err != nil {
		return fmt.Errorf("number changes: %w", err)
	}
	seq -= int64(len(list))
	for len(list) > 0 {
		part := list[:min(chunk, len(list))]
		list = list[len(part):]
		query, args := insert(part, seq, tx.Now().UnixMilli())
		if _, err := tx.Exec(query, args...); err != nil {
			return fmt.Errorf("write changes: %w", err)
		}
		seq += int64(len(part))
	}
	return nil
}

func insert(part []entry, seq, now int64) (string, []any) {
	var q strings.Builder
	q.WriteString(`INSERT INTO changes (seq, tenant_id, kind, entity_id, made_at) VALUES `)
	args := []any{now}
	for i, e := range part {
		if i > 0 {
			q.WriteString(", ")
		}
		n := len(args)
		fmt.Fprintf(&q, "($%d, $%d, $%d, $%d, $1)", n+1, n+2, n+3, n+4)
		args = append(args, seq+int64(i)+1, e.tenant, string(e.kind), e.id)
	}
	return q.String(), args
}
