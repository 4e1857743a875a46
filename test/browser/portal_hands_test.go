package browser

import (
	"fmt"
	"strings"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// hand is how somebody works: with the mouse, or with the keyboard alone.
type hand interface {
	// press presses what a selector finds: a link, a button, a summary.
	press(selector string)
	// write writes a text into a field, over what stands there.
	write(selector, text string)
	// tick chooses a checkbox or a radio button.
	tick(selector string)
	// pick chooses one of a list by its label.
	pick(selector, label string)
	// at is the tab.
	at() *tab
}

// mouse works with the mouse, and types what has to be typed.
type mouse struct{ *tab }

func (m mouse) at() *tab { return m.tab }

func (m mouse) press(selector string) { m.t.Helper(); m.click(selector) }
func (m mouse) tick(selector string)  { m.t.Helper(); m.click(selector) }

func (m mouse) write(selector, text string) {
	m.t.Helper()
	m.click(selector)
	eval[bool](m.tab, `(document.activeElement.select(), true)`)
	m.tab.press(text)
}

func (m mouse) pick(selector, label string) {
	m.t.Helper()
	m.until(fmt.Sprintf(`document.querySelector(%q)`, selector))
	m.do("focus "+selector, chromedp.Focus(chromedp.CSS(selector))) // the list that opens is the system's
	m.arrows(selector, label)
}

// arrows goes through the choices of the list that has the focus.
func (b *tab) arrows(selector, label string) {
	b.t.Helper()
	chosen := fmt.Sprintf(`document.querySelector(%q).selectedOptions[0]?.label`, selector)
	for _, way := range []string{kb.ArrowDown, kb.ArrowUp} {
		for was := ""; ; {
			now := eval[string](b, chosen)
			if now == label {
				return
			}
			if now == was {
				break
			}
			was = now
			b.press(way)
		}
	}
	b.t.Fatalf("%s has no choice %q", selector, label)
}

// keyboard alone: the focus is led to things by Tab, in their order, and shows where it is.
type keys struct{ *tab }

func (k keys) at() *tab { return k.tab }

// reach leads the focus to what a selector finds. A page that has just been opened
// is begun at its skip link.
func (k keys) reach(selector string) {
	k.t.Helper()
	k.until(fmt.Sprintf(`document.querySelector(%q)`, selector))
	if eval[bool](k.tab, fmt.Sprintf(`document.activeElement === document.body && !location.hash && document.querySelector("main").contains(document.querySelector(%q))`, selector)) {
		k.tab.press("\t")
		if got := eval[string](k.tab, `document.activeElement.textContent`); got != "Skip to the page" {
			k.t.Fatalf("the first key leads to %q", got)
		}
		k.tab.press("\r").until(`document.activeElement.id === "main"`)
	}
	eval[bool](k.tab, `(window.been = document.activeElement, true)`)
	for range 120 {
		switch said := eval[string](k.tab, fmt.Sprintf(focus, selector)); said {
		case "there":
			return
		case "":
		default:
			k.t.Errorf("%s: on the way to %s: %s", eval[string](k.tab, `location.pathname`), selector, said)
			return
		}
		k.tab.press("\t")
	}
	k.t.Fatalf("%s: no way to %s by keyboard; the focus is at %s", eval[string](k.tab, `location.pathname`), selector, eval[string](k.tab, `document.activeElement.outerHTML`))
}

// focus says what is wrong with where the focus is, "there" where it should be.
const focus = `(() => {
  const now = document.activeElement, want = document.querySelector(%q), was = window.been
  window.been = now
  const look = getComputedStyle(now), box = now.getBoundingClientRect()
  if (now !== was && now !== document.body && now.id !== "main" && now.id !== "problems" && (look.outlineStyle === "none" || parseFloat(look.outlineWidth) < 1)) return "nothing shows that the focus is at " + now.outerHTML
  if (now !== document.body && (box.bottom < 0 || box.top > innerHeight)) return "the focus is out of sight at " + now.outerHTML
  if (was !== now && was.isConnected && was !== document.body && now !== document.body && was.compareDocumentPosition(now) & Node.DOCUMENT_POSITION_PRECEDING) return "the focus goes back to " + now.outerHTML
  return now === want ? "there" : ""
})()`

func (k keys) press(selector string) { k.t.Helper(); k.reach(selector); k.tab.press("\r") }
func (k keys) tick(selector string)  { k.t.Helper(); k.reach(selector); k.tab.press(" ") }

func (k keys) write(selector, text string) {
	k.t.Helper()
	k.reach(selector)
	k.do("select all", chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	k.tab.press(strings.ReplaceAll(text, "\n", "\r"))
}

func (k keys) pick(selector, label string) {
	k.t.Helper()
	k.reach(selector)
	k.arrows(selector, label)
}
