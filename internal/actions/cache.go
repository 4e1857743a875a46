package actions

import (
	"encoding/json"
	"sync"
	"time"
)

// Auth0's limits of api.cache, for each trigger of a site.
const (
	cacheEntries = 20
	cacheKey     = 64
	cacheValue   = 4 << 10
	cacheSum     = 8 << 10
	cacheAge     = 24 * time.Hour
	cacheDefault = 15 * time.Minute
)

// caches are api.cache: what scripts keep between runs, on this node and in
// memory alone, as Auth0 promises no more.
type caches struct {
	mu  sync.Mutex
	now func() time.Time
	of  map[shelf]map[string]record
}

// shelf is whose records they are.
type shelf struct {
	site    string
	trigger Trigger
}

type record struct {
	Value     string `json:"value"`
	ExpiresAt int64  `json:"expires_at"`
}

// written is what set and delete answer.
type written struct {
	Type   string  `json:"type"` // success, error
	Code   string  `json:"code,omitempty"`
	Record *record `json:"record,omitempty"`
}

// lifetime are the options of set: milliseconds.
type lifetime struct {
	TTL       *float64 `json:"ttl"`
	ExpiresAt *float64 `json:"expires_at"`
}

// ask answers cache.get, cache.set and cache.delete; nil is undefined.
func (c *caches) ask(s shelf, method string, args []json.RawMessage) any {
	var key, value string
	if len(args) == 0 || json.Unmarshal(args[0], &key) != nil || key == "" {
		return written{Type: "error", Code: "InvalidKey"}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	c.expire(now)
	mine := c.of[s]
	switch method {
	case "cache.get":
		if r, ok := mine[key]; ok {
			return r
		}
		return nil
	case "cache.delete":
		if _, ok := mine[key]; !ok {
			return written{Type: "error", Code: "ItemNotFound"}
		}
		delete(mine, key)
		return written{Type: "success"}
	}
	if len(args) < 2 || json.Unmarshal(args[1], &value) != nil {
		return written{Type: "error", Code: "InvalidValue"}
	}
	sum := len(key) + len(value)
	for k, r := range mine {
		if k != key {
			sum += len(k) + len(r.Value)
		}
	}
	_, has := mine[key]
	switch {
	case len(key) > cacheKey:
		return written{Type: "error", Code: "KeySizeExceeded"}
	case len(value) > cacheValue:
		return written{Type: "error", Code: "ValueSizeExceeded"}
	case sum > cacheSum || !has && len(mine) >= cacheEntries:
		return written{Type: "error", Code: "CacheSizeExceeded"}
	}
	if mine == nil {
		mine = map[string]record{}
		if c.of == nil {
			c.of = map[shelf]map[string]record{}
		}
		c.of[s] = mine
	}
	r := record{Value: value, ExpiresAt: expiry(now, args)}
	mine[key] = r
	return written{Type: "success", Record: &r}
}

// expire removes what is over, of sites that are gone too: at most cacheEntries of each.
func (c *caches) expire(now time.Time) {
	for s, records := range c.of {
		for k, r := range records {
			if r.ExpiresAt <= now.UnixMilli() {
				delete(records, k)
			}
		}
		if len(records) == 0 {
			delete(c.of, s)
		}
	}
}

// expiry is the earliest that the options and the limit name.
func expiry(now time.Time, args []json.RawMessage) int64 {
	at, latest := now.Add(cacheDefault).UnixMilli(), now.Add(cacheAge).UnixMilli()
	var l lifetime
	if len(args) < 3 || json.Unmarshal(args[2], &l) != nil || l.TTL == nil && l.ExpiresAt == nil {
		return at
	}
	at = latest
	within := func(ms float64) {
		if ms < float64(at) {
			at = int64(max(ms, 0))
		}
	}
	if l.TTL != nil {
		within(float64(now.UnixMilli()) + *l.TTL)
	}
	if l.ExpiresAt != nil {
		within(*l.ExpiresAt)
	}
	return at
}
