// The size of a terminal's window (ioctl_tty(2)).
#ifndef LAP_TERMINAL_H
#define LAP_TERMINAL_H

#include <asm/ioctls.h>

#include "sys.h"

// On the master or the slave; 0, or a negative errno.
static inline long set_window(int fd, uint16_t rows, uint16_t cols) {
  struct {
    uint16_t rows, cols, xpixel, ypixel;
  } size = {rows, cols, 0, 0};
  return sys3(__NR_ioctl, fd, TIOCSWINSZ, &size);
}

#endif
