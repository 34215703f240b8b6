// Clients of a supervisor: connections to ctl.sock, and the one the launch began with. Frames in both directions are
// {type u8, flags u8, 0, 0, length u32 big endian} and a payload; packages/core/src/supervisor/wire.ts has the same numbers.
#ifndef LAP_CLIENT_H
#define LAP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_CLIENTS 12
#define CLIENT_OUT_SIZE (256U * 1024)
#define CLIENT_IN_SIZE (64U * 1024)
// The largest control frame: the state JSON that hooks get.
#define CLIENT_CONTROL_SIZE 65536U
// A client that takes nothing for this long is dropped, unless it owns the container.
#define CLIENT_STALL_NS 10000000000U

#define WIRE_VERSION 1U

#define CLIENT_STDIN 1U
#define CLIENT_STDOUT 2U
#define CLIENT_STDERR 4U

#define FRAME_ATTACH 1U
#define FRAME_STDIN 2U
#define FRAME_STDIN_EOF 3U
#define FRAME_RESIZE 4U
#define FRAME_SIGNAL 5U
#define FRAME_WAIT 6U
#define FRAME_PAUSE 7U
// Flag of FRAME_PAUSE: for as long as the connection lasts.
#define PAUSE_HELD 1U
#define FRAME_RESUME 8U
#define FRAME_REAPED 9U
#define FRAME_GO 10U
#define FRAME_WATCH 11U
// The container has a restart policy from now on.
#define FRAME_GUARD 12U
#define FRAME_HELLO 0x81U
#define FRAME_STARTED 0x82U
#define FRAME_STDOUT 0x83U
#define FRAME_STDERR 0x84U
#define FRAME_EXIT 0x85U
#define FRAME_ERROR 0x86U
#define FRAME_OK 0x87U
#define FRAME_CREDIT 0x88U
#define FRAME_FAILED 0x89U
#define FRAME_SYNC 0x8aU

struct ring {
  uint32_t start;
  uint32_t length;
};

struct client {
  int fd;  // -1 is a free slot
  bool owner;
  bool waiting;
  bool watching;  // wants nothing but the end of the connection
  bool stdin_ended;
  bool pauses;  // the container goes on when the connection ends
  uint32_t streams;
  uint64_t stalled_since;  // 0 while output flows
  // The frame being received.
  uint8_t header[8];
  uint32_t header_length;
  uint32_t body_left;
  uint32_t control_length;
  struct ring out;
  struct ring in;
};

extern struct client clients[MAX_CLIENTS];

void clients_begin(void);
struct client *client_add(int fd, bool owner);
void client_close(struct client *c);
// Queues one frame and tries to send; a client that cannot take a control frame is closed.
void client_send(struct client *c, uint32_t type, const void *payload, uint32_t length);
void client_flush(struct client *c);
// Hands container output to everyone attached to `stream` (1 or 2).
void clients_output(int stream, const char *data, uint32_t length);
// True while some client still has to take output: reading from the container waits.
bool clients_congested(void);
// True when every queued byte was taken.
bool clients_drained(void);
// Closes clients that took nothing for CLIENT_STALL_NS.
void clients_drop_stalled(uint64_t now);
// Waits for one frame of `type` of the launching client, before the event loop runs; its payload, or NULL when it left.
const uint8_t *client_await(struct client *c, uint32_t type, uint32_t *length);
// Reads and handles what a client sent.
void client_receive(struct client *c);
// Bytes of queued standard input, contiguous part; consumed by client_input_done.
const uint8_t *client_input(const struct client *c, uint32_t *length);
void client_input_done(struct client *c, uint32_t length);

// Implemented by the supervisor: one complete control frame.
void handle_frame(struct client *c, uint32_t type, uint32_t flags, const uint8_t *payload, uint32_t length);
// Implemented by the supervisor: a client went away.
void handle_gone(struct client *c);

#endif
