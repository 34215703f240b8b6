// The socket between supervisor and first process before exec: failures, the pty master, "go". unix(7), SOCK_SEQPACKET.
#ifndef LAP_CHANNEL_H
#define LAP_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "run.h"

#define CHANNEL_FAILED 1U
#define CHANNEL_MASTER 2U
#define CHANNEL_READY 3U
#define CHANNEL_SYNC 4U
#define CHANNEL_LISTENER 5U
#define CHANNEL_ADOPT 6U

// One message; `fd` is -1 unless the kind carries one.
struct channel_message {
  uint32_t kind;
  uint32_t op_index;
  uint32_t error;
  uint32_t fail_kind;
  char detail[DETAIL_SIZE];
};

int channel_pair(int fds[2]);
int channel_send(int socket, const struct channel_message *message);
int channel_send_fd(int socket, int fd);
// Reads one raw message of at most `size` bytes; its length, 0 at the end, negative errno.
long channel_read(int socket, void *into, size_t size);
// Sends `fd` with these bytes, in one message, over any unix socket; errno.
int send_descriptor(int socket, int fd, const void *bytes, size_t length);
// Waits for one message over a stream socket and takes the descriptor that it carries; negative errno.
int receive_descriptor(int socket);
// True when the other side is gone.
bool channel_is_closed(int socket);
// 1 when a message came (its descriptor in *fd or -1), 0 at the end, negative errno.
int channel_receive(int socket, struct channel_message *message, int *fd);

#endif
