package apikey

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatItsMakerClaimsNowBoundsAKeysKeysToo(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		top := k.create(person("ann", "editor"), draft("docs:*", "apikeys:write"))
		child := k.create(k.asKey(top.Token.Reveal()), draft("docs:read"))
		// Ann is a keeper from now on, and says so with her next change of the key.
		if _, err := k.s.Change(t.Context(), person("ann", "keeper"), "a", top.ID, Draft{Name: set("y")}); err != nil {
			t.Fatal(err)
		}
		for _, m := range []Made{top, child} {
			who, err := k.s.Verify(t.Context(), m.Token.Reveal())
			if err != nil {
				t.Fatal(err)
			}
			if f := k.facts(who); cmp.Diff([]string{"keeper"}, f.Grant.CreatorClaimed) != "" {
				t.Errorf("%s: claimed %v", m.ID, f.Grant.CreatorClaimed)
			}
		}
		if k.asKey(child.Token.Reveal()).Standing.Has("docs:read") {
			t.Error("the child reads docs, which neither its maker nor the key above it may")
		}
	})
}
