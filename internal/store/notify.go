package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Notify wakes those who Watch the channel after the commit: in this process,
// and on PostgreSQL in every other one. A notice may be lost; it only saves
// waiting for the next poll.
func (tx *Tx) Notify(channel string) error {
	tx.notices = append(tx.notices, channel)
	if tx.db.engine != PostgreSQL {
		return nil
	}
	_, err := tx.Exec(`SELECT pg_notify($1, '')`, channel)
	return err
}

// Watch calls wake after every commit that notified the channel, and whenever
// some may have been missed, until ctx ends. On PostgreSQL it holds a
// connection of its own, which it makes anew when it breaks.
func (db *DB) Watch(ctx context.Context, channel string, wake func()) {
	defer db.signals.add(channel, wake)()
	if db.engine != PostgreSQL {
		<-ctx.Done()
		return
	}
	for n := 1; ctx.Err() == nil; n++ {
		if err := db.listen(ctx, channel, func() { n = 1; wake() }); ctx.Err() == nil {
			db.log.WarnContext(ctx, "notices of the store are not heard; polling goes on", "err", err)
		}
		retry := time.NewTimer(min(time.Duration(n)*500*time.Millisecond, 5*time.Second))
		select {
		case <-ctx.Done():
		case <-retry.C:
		}
		retry.Stop()
	}
}

func (db *DB) listen(ctx context.Context, channel string, wake func()) error {
	conf := db.conn.Copy()
	conf.RuntimeParams["application_name"] = "portreeve-watch"
	conn, err := pgx.ConnectConfig(ctx, conf)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
		return err
	}
	wake() // what happened before
	for {
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return err
		}
		wake()
	}
}
