// Package metric is under way.
package metric
