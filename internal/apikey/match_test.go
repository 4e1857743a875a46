package apikey

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// from is who acts upon a key as it stood.
func from(by By, k Key) By {
	by.If = input.MatchOf(&request.View{Header: request.Header{{Name: "If-Match", Value: ViewOf(k).tag()}}})
	return by
}

func TestOneOfManyChangesAKeyFromOneState(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		m := k.create(host(), draft("docs:read"))
		if err := k.use(m.Token.Reveal()); err != nil {
			t.Fatal(err)
		}
		was, err := k.s.Get(t.Context(), "a", m.ID)
		if err != nil {
			t.Fatal(err)
		}
		k.advance(1000)
		var done atomic.Int64
		storetest.Callers(t, callers, func(i int) error {
			_, err := k.s.Change(t.Context(), from(host(), was), "a", m.ID, Draft{Name: set(fmt.Sprint("key ", i))})
			switch {
			case err == nil:
				done.Add(1)
			case !errors.Is(err, input.ErrChanged):
				return err
			}
			return nil
		})
		if done.Load() != 1 {
			t.Errorf("%d changed it", done.Load())
		}
		wantErr(t, "revoking what was changed", k.s.Revoke(t.Context(), from(host(), was), "a", m.ID), input.ErrChanged)
		now, err := k.s.Get(t.Context(), "a", m.ID)
		if err != nil {
			t.Fatal(err)
		}
		used := now
		used.Uses, used.LastUsedAt = 17, k.now()
		if err := k.s.Revoke(t.Context(), from(host(), used), "a", m.ID); err != nil {
			t.Errorf("a key that is in use is not what it was: %v", err)
		}
	})
}
