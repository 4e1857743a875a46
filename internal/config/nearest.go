package config

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Nearest is the candidate that word was probably meant to be, or empty. Case,
// "-" and "_" count for nothing; otherwise at most a third of the letters may
// differ, a swap of neighbours being one difference; failing that, one may be
// the other's beginning.
func Nearest(word string, candidates []string) string {
	if len(word) > 64 {
		return ""
	}
	word = fold(word)
	best, least := "", max(len(word)/3, 1)+1
	for _, c := range candidates {
		if d := distance(word, fold(c)); d < least && d < len(word) {
			best, least = c, d
		}
	}
	if best == "" && len(word) > 2 {
		for _, c := range candidates {
			if f := fold(c); len(f) > 2 && (strings.HasPrefix(f, word) || strings.HasPrefix(word, f)) {
				return c
			}
		}
	}
	return best
}

func fold(s string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "", " ", "").Replace(s))
}

// distance is the optimal string alignment distance of two short texts.
func distance(a, b string) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(next[j]+1, row[j+1]+1, row[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}

// shown quotes a word of the file for a message, cut short.
func shown(s string) string {
	const most = 40
	if len(s) > most {
		cut := most
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return strconv.Quote(s)
}
