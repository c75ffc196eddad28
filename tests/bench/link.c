/* A line between two network namespaces, in user space: delay, rate, loss and a bounded queue.
 *
 *   link LEFT RIGHT DELAY_MS MBIT LOSS_PERCENT
 *
 * Makes a TUN device `line0` in each of the two named namespaces (/run/netns), says "ready", and
 * carries packets until it is killed; the devices go with it. Each direction has the delay, the
 * rate and the loss. For kernels that have no netem; not covered: addresses (network.py), jitter.
 *
 * Without loss the kernel hands over many packets as one, as it does to a network card: the line
 * then takes a tenth of the CPU time, which it would otherwise take from those who are measured.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum {
    MOST = 1 << 16,       /* bytes of what the kernel hands over at once */
    BURST = 64,           /* packets taken from one side before the other has its turn */
    HEADERS = 40,         /* of IP and TCP, repeated in each packet that one is made into */
    FRAME = 38,           /* what a packet costs an Ethernet: header, checksum, gap, preamble */
};
static const int64_t QUEUE = 50 * 1000000LL; /* ns that a packet may wait for the line */

struct packet {
    struct packet *next;
    int64_t due;
    size_t length;
    unsigned char bytes[];
};

struct direction {
    int from, to;
    int64_t free_at; /* when the line has sent what it was given */
    struct packet *first, **last;
};

static int64_t delay;
static double ns_per_byte, loss;

static void fail(const char *what) {
    fprintf(stderr, "link: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* A TUN device in the namespace of that name; this process stays there. */
static int device(const char *namespace) {
    char path[256];
    snprintf(path, sizeof path, "/run/netns/%s", namespace);
    int place = open(path, O_RDONLY | O_CLOEXEC);
    if (place < 0 || setns(place, CLONE_NEWNET) < 0) fail(path);
    close(place);
    int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (tun < 0) fail("/dev/net/tun");
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_NAPI | IFF_VNET_HDR};
    strcpy(request.ifr_name, "line0");
    if (ioctl(tun, TUNSETIFF, &request) < 0) fail("TUNSETIFF");
    unsigned long offload = loss > 0 ? 0 : TUN_F_CSUM | TUN_F_TSO4;
    if (ioctl(tun, TUNSETOFFLOAD, offload) < 0) fail("TUNSETOFFLOAD");
    return tun;
}

/* Bytes that the packets take on the line which the kernel handed over as one. */
static size_t on_the_line(const unsigned char *bytes, size_t length) {
    const struct virtio_net_hdr *about = (const void *)bytes;
    size_t size = length - sizeof *about;
    size_t packets = about->gso_size ? (size - HEADERS + about->gso_size - 1) / about->gso_size : 1;
    return size + (packets - 1) * HEADERS + packets * FRAME;
}

/* Take what one side sent; what the queue or chance does not let through is dropped. */
static void receive(struct direction *way, int64_t at) {
    static unsigned char bytes[MOST + sizeof(struct virtio_net_hdr)];
    for (int count = 0; count < BURST; count++) {
        ssize_t length = read(way->from, bytes, sizeof bytes);
        if (length <= (ssize_t)sizeof(struct virtio_net_hdr)) return;
        int64_t start = way->free_at > at ? way->free_at : at;
        if (start - at > QUEUE || (loss > 0 && drand48() < loss)) continue;
        struct packet *packet = malloc(sizeof *packet + length);
        if (!packet) fail("memory");
        memcpy(packet->bytes, bytes, length);
        way->free_at = start + (int64_t)(on_the_line(bytes, length) * ns_per_byte);
        packet->next = NULL;
        packet->due = way->free_at + delay;
        packet->length = length;
        *way->last = packet;
        way->last = &packet->next;
    }
}

/* Deliver what has arrived by now. */
static void deliver(struct direction *way, int64_t at) {
    for (struct packet *packet; (packet = way->first) && packet->due <= at; free(packet)) {
        (void)!write(way->to, packet->bytes, packet->length);
        if (!(way->first = packet->next)) way->last = &way->first;
    }
}

/* Nanoseconds until something arrives; a second if nothing is under way. */
static int64_t idle(const struct direction *ways, int64_t at) {
    int64_t least = 1000000000LL;
    for (int i = 0; i < 2; i++)
        if (ways[i].first && ways[i].first->due - at < least) least = ways[i].first->due - at;
    return least > 0 ? least : 0;
}

int main(int argc, char **argv) {
    if (argc != 6) {
        fprintf(stderr, "usage: link LEFT RIGHT DELAY_MS MBIT LOSS_PERCENT\n");
        return 2;
    }
    delay = (int64_t)(atof(argv[3]) * 1e6);
    ns_per_byte = 8e3 / atof(argv[4]);
    loss = atof(argv[5]) / 100;
    srand48(1);
    int left = device(argv[1]), right = device(argv[2]);
    struct direction ways[2] = {{.from = left, .to = right}, {.from = right, .to = left}};
    for (int i = 0; i < 2; i++) ways[i].last = &ways[i].first;
    puts("ready");
    fflush(stdout);
    struct pollfd ends[2] = {{.fd = left, .events = POLLIN}, {.fd = right, .events = POLLIN}};
    for (;;) {
        int64_t rest = idle(ways, now());
        struct timespec wait = {.tv_sec = rest / 1000000000LL, .tv_nsec = rest % 1000000000LL};
        if (ppoll(ends, 2, &wait, NULL) < 0 && errno != EINTR) fail("poll");
        for (int i = 0; i < 2; i++) {
            if (ends[i].revents & POLLIN) receive(&ways[i], now());
            deliver(&ways[i], now());
        }
    }
}
