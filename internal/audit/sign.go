package audit

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io/fs"
	"os"

	"github.com/portreeve/portreeve/internal/store"
)

type head struct {
	tenant string
	n      int64
	hash   []byte
}

// Checkpoint signs the ends of the chains that grew since the last time, and
// writes them to the log and to the file. It says how many.
func (l *Log) Checkpoint(ctx context.Context) (int, error) {
	l.checking.Lock()
	defer l.checking.Unlock()
	if l.seen == nil {
		seen, err := l.written(ctx)
		if err != nil {
			return 0, err
		}
		l.seen = seen
	}
	tenant, first, signed := "", true, 0
	for {
		heads, err := l.heads(ctx, tenant, first)
		if err != nil || len(heads) == 0 {
			return signed, err
		}
		tenant, first = heads[len(heads)-1].tenant, false
		n, err := l.sign(ctx, heads)
		if signed += n; err != nil {
			return signed, err
		}
	}
}

// heads reads the ends of chains after a tenant.
func (l *Log) heads(ctx context.Context, after string, first bool) (out []head, err error) {
	op := ">"
	if first {
		op = ">="
	}
	err = l.db.Read(ctx, func(tx *store.Tx) (err error) {
		out, err = store.List(tx, func(r store.Row) (h head, err error) { return h, r.Scan(&h.tenant, &h.n, &h.hash) },
			`SELECT tenant_id, n, hash FROM audit_heads WHERE tenant_id `+op+` $1 ORDER BY tenant_id LIMIT $2`, after, int64(mostRead))
		return err
	})
	return out, err
}

// sign makes and writes the checkpoints of the heads that grew.
func (l *Log) sign(ctx context.Context, heads []head) (int, error) {
	var lines []byte
	var grown []*Checkpoint
	for _, h := range heads {
		switch last := l.seen[h.tenant]; {
		case h.n < last:
			l.log.ErrorContext(ctx, "the audit trail is shorter than its last checkpoint: run portreeve audit verify", "tenant", h.tenant, "n", h.n, "checkpoint", last)
		case h.n > last:
			c := &Checkpoint{Tenant: h.tenant, N: h.n, Hash: h.hash, At: l.now(), KeyID: l.keyID}
			c.Sig = ed25519.Sign(l.first.sign, c.signed())
			grown = append(grown, c)
			lines = append(append(lines, c.Line()...), '\n')
		}
	}
	if len(grown) == 0 {
		return 0, nil
	}
	if err := appendFile(l.file, lines); err != nil {
		return 0, err
	}
	for _, c := range grown {
		l.log.InfoContext(ctx, "audit checkpoint", "tenant", c.Tenant, "n", c.N, "checkpoint", string(c.Line()))
		l.seen[c.Tenant] = c.N
	}
	return len(grown), nil
}

// written are the last checkpoints of the file, so that a start repeats none.
func (l *Log) written(ctx context.Context) (map[string]int64, error) {
	seen := map[string]int64{}
	if l.file == "" {
		return seen, nil
	}
	f, err := os.Open(l.file)
	if errors.Is(err, fs.ErrNotExist) {
		return seen, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var ring keyring
	if err := l.db.Read(ctx, func(tx *store.Tx) (err error) { ring, _, err = l.ring(tx); return err }); err != nil {
		return nil, err
	}
	err = readLines(f, func(_ int, text []byte) error {
		c, err := ParseCheckpoint(text)
		if err != nil || c.N <= seen[c.Tenant] {
			return nil // Verify tells what is wrong with a line
		}
		if keys := ring[c.KeyID]; keys != nil && keys.verifies(c) {
			seen[c.Tenant] = c.N
		}
		return nil
	})
	return seen, err
}

// appendFile adds lines to the file, and has them on disk when it returns. A
// line that was cut by a crash is ended first.
func appendFile(file string, lines []byte) (err error) {
	if file == "" {
		return nil
	}
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	end, err := f.Seek(0, 2)
	if err != nil {
		return err
	}
	if end > 0 {
		var last [1]byte
		if _, err := f.ReadAt(last[:], end-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			lines = append([]byte{'\n'}, lines...)
		}
	}
	if _, err := f.Write(lines); err != nil {
		return err
	}
	return f.Sync()
}
