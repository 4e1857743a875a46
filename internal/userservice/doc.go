// Package userservice is under way.
package userservice
