package template

// nearest returns the allowed source whose name is closest to word, or "".
func nearest(word string, allow Source) string {
	var names []string
	for _, s := range sources {
		if s.is&allow != 0 {
			names = append(names, s.name)
		}
	}
	return closest(word, names)
}

// closest returns the name that word is at most a third of its length (and at
// least one edit) away from, or "".
func closest(word string, names []string) string {
	if len(word) > 32 {
		return ""
	}
	best, at := "", max(1, len(word)/3)+1
	for _, n := range names {
		if d := distance(word, n); d < at {
			best, at = n, d
		}
	}
	return best
}

// distance counts insertions, deletions, substitutions and swaps of neighbours
// (optimal string alignment).
func distance(a, b string) int {
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
