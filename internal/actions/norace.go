//go:build !race

package actions

// raceDetector says that this binary has the race detector.
const raceDetector = false
