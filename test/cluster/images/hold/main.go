// Command hold is the whole of the image "static": it waits for a signal to end.
// With an argument it also keeps that file filled with a number that grows five times a second.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
	if len(os.Args) > 1 {
		go count(os.Args[1])
	}
	<-end
}

func count(file string) {
	for n := 1; ; n++ {
		if err := os.WriteFile(file, []byte(fmt.Sprintln(n)), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}
