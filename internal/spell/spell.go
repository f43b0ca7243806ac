// Package spell finds the word that a misspelling most likely meant, for "did you mean". It is for short words from
// hostile places: what is too long or too much is not looked at. [Hint] does the same for the path of a
// file.
package spell

import "strings"

const (
	maxLetters = 64  // longer words are no misspellings
	maxWords   = 200 // more are no list that a person chooses from
)

// Nearest gives the one of words that was most likely meant: at most two letters differ, and at most a third of them.
// It is "" when none is near. Case counts for nothing; of two equally near ones the first is given.
func Nearest(word string, words []string) string {
	best, least := "", 3
	if len(word) > maxLetters {
		return ""
	}
	for _, w := range words[:min(len(words), maxWords)] {
		if len(w) > maxLetters {
			continue
		}
		d := Distance(strings.ToLower(word), strings.ToLower(w))
		if d < least && d*3 <= max(len(w), 3) {
			best, least = w, d
		}
	}
	return best
}

// Only is Nearest, but "" also when a second word is as near: for a change that is made without asking.
func Only(word string, words []string) string {
	best := Nearest(word, words)
	least := Distance(strings.ToLower(word), strings.ToLower(best))
	for _, w := range words[:min(len(words), maxWords)] {
		if best != "" && w != best && len(w) <= maxLetters && Distance(strings.ToLower(word), strings.ToLower(w)) <= least {
			return ""
		}
	}
	return best
}

// Distance is the number of bytes to insert, delete, replace or swap with a neighbour to make b of a (optimal string
// alignment). It takes time in proportion to the product of both lengths: the caller bounds them.
func Distance(a, b string) int {
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := above[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(above[j]+1, row[j-1]+1, replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}
