//go:build race

package actions

// raceDetector says that this binary has it: no release does.
const raceDetector = true
