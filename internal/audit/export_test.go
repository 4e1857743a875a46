package audit

// CountAtMost is for tests that do not want to wait for as many as there may be.
func (l *Log) CountAtMost(n int) { l.refused.most = n }
