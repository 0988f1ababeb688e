#include "sys/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HOST_MAX = 256, BACKLOG = 64 };

/* host[HOST_MAX] is "" for every address. */
static bool split(const char *address, char *host, const char **ret_port)
{
    const char *colon = strrchr(address, ':');
    if (colon == NULL || colon[1] == '\0' || strlen(colon + 1) > 5 ||
        colon[1 + strspn(colon + 1, "0123456789")] != '\0' || atoi(colon + 1) > UINT16_MAX)
        return false;
    size_t len = (size_t)(colon - address);
    if (len >= 2 && address[0] == '[' && address[len - 1] == ']') {
        address++;
        len -= 2;
    } else if (memchr(address, ':', len) != NULL) {
        return false; /* an IPv6 address without brackets */
    }
    if (len >= HOST_MAX)
        return false;
    snprintf(host, HOST_MAX, "%.*s", (int)len, address);
    *ret_port = colon + 1;
    return true;
}

static int open_socket(const struct addrinfo *info)
{
    static const int on = 1;
    int fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                    info->ai_protocol);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

int listen_open(const char *address, const char *option, struct error *err)
{
    char host[HOST_MAX];
    const char *port;
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    if (!split(address, host, &port)) {
        error_set(err, ERROR_CONFIG, "%s: \"%.80s\" is not an address such as 127.0.0.1:9464",
                  option, address);
        return -1;
    }
    int code = getaddrinfo(host[0] != '\0' ? host : NULL, port, &hints, &found);
    if (code != 0) {
        error_set(err, ERROR_CONFIG, "%s: \"%.80s\": %s", option, address, gai_strerror(code));
        return -1;
    }
    int fd = -1;
    for (const struct addrinfo *info = found; info != NULL && fd < 0; info = info->ai_next)
        fd = open_socket(info);
    if (fd < 0)
        error_set(err, ERROR_CONFIG, "%s: \"%.80s\": %s", option, address, strerror(errno));
    freeaddrinfo(found);
    return fd;
}

int listen_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    socklen_t size = sizeof address;
    memset(&address, 0, sizeof address);
    if (getsockname(fd, &address.any, &size) < 0)
        return -1;
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}
