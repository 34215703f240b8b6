// Takes a pidfd over the unix socket argv[1] (SCM_RIGHTS), says "taken", and sends signal argv[2] by it when its input ends.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int take(int from) {
  char bytes[64];
  char control[CMSG_SPACE(sizeof(int))];
  struct iovec vector = {bytes, sizeof bytes};
  struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  int fd;
  if (recvmsg(from, &header, 0) <= 0 || CMSG_FIRSTHDR(&header) == NULL) exit(2);
  memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof fd);
  return fd;
}

int main(int argc, char **argv) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  char byte;
  if (argc != 3) return 64;
  strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1) < 0) return 1;
  setvbuf(stdout, NULL, _IOLBF, 0);
  puts("listening");
  int process = take(accept(fd, NULL, NULL));
  puts("taken");
  while (read(0, &byte, 1) > 0) continue;
  return syscall(SYS_pidfd_send_signal, process, atoi(argv[2]), NULL, 0) == 0 ? 0 : 3;
}
