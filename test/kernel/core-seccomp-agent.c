// A seccomp agent for the tests (seccomp_unotify(2)): listens at argv[1], prints the state it is sent, then answers every
// call it is notified of with errno argv[2], or lets it go on (--continue), printing the call's number. Ends when the
// listener has no process left.
#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int listen_at(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1) < 0) exit(1);
  return fd;
}

static int receive(int from) {
  static char state[65536];
  char control[CMSG_SPACE(sizeof(int))];
  struct iovec vector = {state, sizeof state - 1};
  struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t length = recvmsg(from, &header, 0);
  struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
  int fd;
  if (length <= 0 || rights == NULL) exit(2);
  memcpy(&fd, CMSG_DATA(rights), sizeof fd);
  puts(state);
  return fd;
}

static void serve(int listener, int error, bool go_on) {
  struct seccomp_notif call;
  struct seccomp_notif_resp answer;
  struct pollfd set = {.fd = listener, .events = POLLIN};
  while (poll(&set, 1, 20000) > 0 && (set.revents & POLLIN) != 0) {
    memset(&call, 0, sizeof call);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0) continue;
    printf("%d\n", call.data.nr);
    answer = (struct seccomp_notif_resp){.id = call.id, .error = -error};
    if (go_on) answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
  }
}

int main(int argc, char **argv) {
  if (argc != 3) return 64;
  setvbuf(stdout, NULL, _IOLBF, 0);
  int socket = listen_at(argv[1]);
  puts("listening");
  int listener = receive(accept(socket, NULL, NULL));
  bool go_on = strcmp(argv[2], "--continue") == 0;
  serve(listener, go_on ? 0 : atoi(argv[2]), go_on);
  return 0;
}
