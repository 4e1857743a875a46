package session

import (
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// A session of a short idle time does not end while it is used.
func TestAShortSessionLastsWhileItIsUsed(t *testing.T) {
	t.Parallel()
	for _, idle := range []time.Duration{time.Minute, 100 * time.Second} {
		t.Run(idle.String(), func(t *testing.T) {
			t.Parallel()
			d := config.Duration(idle)
			k := newKit(t, storetest.SQLiteURL(t), Config{Idle: &d})
			k.rogue.set(func() { k.rogue.life = 24 * time.Hour })
			b := k.browser()
			b.signIn()
			for at := time.Duration(0); at < 10*time.Minute; at += 9 * time.Second {
				k.advance(9 * time.Second)
				if !b.in() {
					t.Fatalf("it ended after %v, used every nine seconds", at)
				}
			}
			k.advance(idle)
			if b.in() {
				t.Error("it goes on without being used")
			}
		})
	}
}
