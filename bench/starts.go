package main

import (
	"fmt"
	"net/http"
	"time"
)

// startFigure is how long a process took from its start to its first answer.
type startFigure struct {
	routes int
	ms     float64 // median
	memory float64 // MB two seconds later, median
}

// starts starts Portreeve several times with that many routes.
func (h *house) starts(o options, routes, times int) (startFigure, error) {
	token, err := firstToken(h.tokens)
	if err != nil {
		return startFigure{}, err
	}
	var took, memory []float64
	for range times {
		began := time.Now()
		t, err := h.portreeve(o.portreeve, setup{name: fmt.Sprintf("start%d", routes), routes: routes})
		if err != nil {
			return startFigure{}, err
		}
		written := time.Since(began) - t.ready // the file was made before the start
		s := &scenario{name: "start", target: t, house: h}
		status, _, _, err := s.ask(decidedPath, token)
		took = append(took, float64(time.Since(began)-written)/float64(time.Millisecond))
		if err != nil || status != http.StatusOK {
			return startFigure{}, fmt.Errorf("the first answer with %d routes is %d (%v)", routes, status, err)
		}
		time.Sleep(2 * time.Second)
		memory = append(memory, t.memory())
		if err := h.end(t.process); err != nil {
			return startFigure{}, err
		}
	}
	return startFigure{routes, middle(took), middle(memory)}, nil
}
