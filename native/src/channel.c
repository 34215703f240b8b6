// See channel.h.
#include "channel.h"

#include "sys.h"
#include "text.h"

#define AF_UNIX 1
#define SOCK_SEQPACKET 5
#define SOL_SOCKET 1
#define SCM_RIGHTS 1
#define MSG_NOSIGNAL 0x4000
#define MSG_DONTWAIT 0x40
#define MSG_PEEK 2
#define MSG_CMSG_CLOEXEC 0x40000000

struct io_vector {
  void *base;
  size_t length;
};

// struct msghdr and cmsghdr of the kernel's ABI (64 bit); libc owns their public headers.
struct message_header {
  void *name;
  uint32_t name_length;
  struct io_vector *vectors;
  size_t vector_count;
  void *control;
  size_t control_length;
  uint32_t flags;
};

struct control {
  size_t length;
  int level;
  int type;
  int fd;
  int padding;
};

int channel_pair(int fds[2]) {
  return (int)-sys4(__NR_socketpair, AF_UNIX, SOCK_SEQPACKET | LAP_O_CLOEXEC, 0, fds);
}

static long exchange_bytes(long number, int socket, void *bytes, size_t length, struct control *control, long flags) {
  struct io_vector vector = {bytes, length};
  struct message_header header = {.vectors = &vector, .vector_count = 1};
  header.control = control;
  header.control_length = control == NULL ? 0 : sizeof *control;
  for (;;) {
    long ret = sys3(number, socket, &header, flags);
    if (ret != -EINTR) return ret;
  }
}

static long exchange(long number, int socket, struct channel_message *message, struct control *control, long flags) {
  return exchange_bytes(number, socket, message, sizeof *message, control, flags);
}

long channel_read(int socket, void *into, size_t size) {
  return exchange_bytes(__NR_recvmsg, socket, into, size, NULL, MSG_CMSG_CLOEXEC);
}

int send_descriptor(int socket, int fd, const void *bytes, size_t length) {
  // The kernel reads only; its structure knows no const.
  void *readable = (void *)(uintptr_t)bytes;
  struct control control = {offsetof(struct control, padding), SOL_SOCKET, SCM_RIGHTS, fd, 0};
  long ret = exchange_bytes(__NR_sendmsg, socket, readable, length, &control, MSG_NOSIGNAL);
  return ret < 0 ? (int)-ret : 0;
}

int channel_send(int socket, const struct channel_message *message) {
  struct channel_message copy = *message;
  long ret = exchange(__NR_sendmsg, socket, &copy, NULL, MSG_NOSIGNAL);
  return ret < 0 ? (int)-ret : 0;
}

int channel_send_fd(int socket, int fd) {
  struct channel_message message = {.kind = CHANNEL_MASTER};
  return send_descriptor(socket, fd, &message, sizeof message);
}

int channel_receive(int socket, struct channel_message *message, int *fd) {
  struct control control = {.length = 0};
  *fd = -1;
  long ret = exchange(__NR_recvmsg, socket, message, &control, MSG_CMSG_CLOEXEC);
  if (ret < 0) return (int)ret;
  if (ret == 0) return 0;
  if (control.length >= offsetof(struct control, padding) && control.type == SCM_RIGHTS) *fd = control.fd;
  return ret == sizeof *message ? 1 : -EPROTO;
}

int receive_descriptor(int socket) {
  char name[256];
  struct control control = {.length = 0};
  long ret = exchange_bytes(__NR_recvmsg, socket, name, sizeof name, &control, MSG_CMSG_CLOEXEC);
  if (ret < 0) return (int)ret;
  bool carries = control.length >= offsetof(struct control, padding) && control.type == SCM_RIGHTS;
  return carries ? control.fd : -EPROTO;
}

bool channel_is_closed(int socket) {
  char byte;
  return sys6(__NR_recvfrom, socket, &byte, 1, MSG_DONTWAIT | MSG_PEEK, 0, 0) == 0;
}
