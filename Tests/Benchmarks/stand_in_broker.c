// stand_in_broker: serves pre-built Kafka record batches to consumers at memory speed. For
// benchmarks only.
//
//   stand_in_broker [--topic T] [--port N] [--hw-file F] [--port-file F] DIR
//
// DIR holds p0.log, p1.log, ... as generate writes them (the bytes of a real Kafka segment; mapped,
// never copied in user space). One node, one topic, thread per connection. APIs: ApiVersions 0-3,
// Metadata 0-4, ListOffsets 1-2, Fetch 4-11, and a one-member consumer group (FindCoordinator,
// JoinGroup, SyncGroup, Heartbeat, LeaveGroup, OffsetCommit 2, OffsetFetch 1; offsets live in
// memory), an empty DescribeConfigs. Produce is announced (clients look for it to decide on magic
// 2) but closes the connection.
// --hw-file: one integer a partition, the end offset to show; read again at each request, so that a
// script can "let more events arrive" between runs. Snapped up to the end of a batch.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

typedef struct {
  int64_t base, end;
  size_t at, len;
} Batch;
typedef struct {
  const char *m;
  size_t len;
  Batch *b;
  int n;
  int64_t end;
} Part;
static Part P[256];
static int NP, PORT;
static const char *TOPIC = "clickstream-events", *HW;
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static int64_t committed[256];
static int generation;

typedef struct {
  char *p;
  size_t n, cap;
} Buf;
static void put(Buf *b, const void *d, size_t n) {
  if (b->n + n > b->cap) {
    b->cap = (b->n + n) * 2 + 256;
    b->p = realloc(b->p, b->cap);
  }
  memcpy(b->p + b->n, d, n);
  b->n += n;
}
static void p8(Buf *b, int v) {
  char c = (char)v;
  put(b, &c, 1);
}
static void p16(Buf *b, int v) {
  uint16_t x = htobe16((uint16_t)v);
  put(b, &x, 2);
}
static void p32(Buf *b, int64_t v) {
  uint32_t x = htobe32((uint32_t)v);
  put(b, &x, 4);
}
static void p64(Buf *b, int64_t v) {
  uint64_t x = htobe64((uint64_t)v);
  put(b, &x, 8);
}
static void pstr(Buf *b, const char *s, int n) {
  p16(b, n);
  if (n > 0)
    put(b, s, (size_t)n);
}
typedef struct {
  const char *p, *e;
} In;
static int64_t gi(In *i, int n) {
  int64_t v = 0;
  if (i->p + n > i->e) {
    i->p = i->e;
    return 0;
  }
  v = (signed char)i->p[0];
  for (int k = 1; k < n; k++)
    v = (v << 8) | (unsigned char)i->p[k];
  i->p += n;
  return v;
}
static const char *gs(In *i, int *n) {
  *n = (int)gi(i, 2);
  const char *s = i->p;
  if (*n > 0)
    i->p += *n;
  if (i->p > i->e)
    i->p = i->e;
  return s;
}
static const char *gb(In *i, int *n) {
  *n = (int)gi(i, 4);
  const char *s = i->p;
  if (*n > 0)
    i->p += *n;
  if (i->p > i->e)
    i->p = i->e;
  return s;
}

static int find(const Part *p, int64_t off) {
  int lo = 0, hi = p->n;
  while (lo < hi) {
    int m = (lo + hi) / 2;
    if (p->b[m].end <= off)
      lo = m + 1;
    else
      hi = m;
  }
  return lo;
}
static void hws(int64_t *h) {
  for (int k = 0; k < NP; k++)
    h[k] = P[k].end;
  if (!HW)
    return;
  FILE *f = fopen(HW, "r");
  if (!f)
    return;
  for (int k = 0; k < NP; k++) {
    long v;
    if (fscanf(f, "%ld", &v) != 1)
      break;
    if (v < P[k].end)
      h[k] = v <= 0 ? 0 : P[k].b[find(&P[k], v - 1)].end;
  }
  fclose(f);
}
static int all(int fd, void *d, size_t n) {
  char *p = d;
  while (n) {
    ssize_t r = recv(fd, p, n, MSG_WAITALL);
    if (r <= 0) {
      if (r < 0 && errno == EINTR)
        continue;
      return -1;
    }
    p += r;
    n -= (size_t)r;
  }
  return 0;
}
static int sendv(int fd, struct iovec *v, int n) {
  while (n) {
    ssize_t r = writev(fd, v, n > 1000 ? 1000 : n);
    if (r < 0) {
      if (errno == EINTR)
        continue;
      return -1;
    }
    while (n && (size_t)r >= v->iov_len) {
      r -= (ssize_t)v->iov_len;
      v++;
      n--;
    }
    if (n) {
      v->iov_base = (char *)v->iov_base + r;
      v->iov_len -= (size_t)r;
    }
  }
  return 0;
}
static const struct {
  int k, lo, hi;
} API[] = {{0, 3, 7},  {1, 4, 11}, {2, 1, 2},  {3, 0, 4},  {8, 2, 2},  {9, 1, 1}, {10, 0, 0},
           {11, 0, 0}, {12, 0, 0}, {13, 0, 0}, {14, 0, 0}, {18, 0, 3}, {32, 0, 1}};
#define NAPI (int)(sizeof API / sizeof *API)

static int fetch(int fd, int corr, int ver, In *in) {
  gi(in, 4);
  int wait = (int)gi(in, 4);
  int minb = (int)gi(in, 4);
  int64_t maxb = gi(in, 4);
  gi(in, 1);
  if (ver >= 7)
    gi(in, 8);
  In start = *in;
  int64_t h[256];
  int waited = 0;
  for (;;) {
    *in = start;
    hws(h);
    Buf b = {0};
    struct {
      size_t at;
      const char *d;
      size_t n;
    } seg[512];
    int ns = 0;
    int64_t total = 0;
    int err = 0;
    p32(&b, 0);
    p32(&b, corr);
    p32(&b, 0);
    if (ver >= 7) {
      p16(&b, 0);
      p32(&b, 0);
    }
    int nt = (int)gi(in, 4);
    p32(&b, nt);
    for (int t = 0; t < nt; t++) {
      int n;
      const char *s = gs(in, &n);
      pstr(&b, s, n);
      int np = (int)gi(in, 4);
      p32(&b, np);
      for (int q = 0; q < np; q++) {
        int k = (int)gi(in, 4);
        if (ver >= 9)
          gi(in, 4);
        int64_t off = gi(in, 8);
        if (ver >= 5)
          gi(in, 8);
        int64_t pm = gi(in, 4);
        int e = 0;
        const char *d = NULL;
        size_t dn = 0;
        if (k < 0 || k >= NP)
          e = 3;
        else if (off < 0 || off > h[k])
          e = 1;
        else if (off < h[k]) {
          int i = find(&P[k], off);
          d = P[k].m + P[k].b[i].at;
          size_t lim = (size_t)(pm < maxb - total ? pm : maxb - total);
          for (; i < P[k].n && P[k].b[i].base < h[k] &&
                 (dn == 0 ? (total == 0 || P[k].b[i].len <= lim) : dn + P[k].b[i].len <= lim);
               i++)
            dn += P[k].b[i].len;
        }
        err |= e;
        total += (int64_t)dn;
        p32(&b, k);
        p16(&b, e);
        p64(&b, e == 3 ? -1 : h[k]);
        p64(&b, e == 3 ? -1 : h[k]);
        if (ver >= 5)
          p64(&b, 0);
        p32(&b, 0);
        if (ver >= 11)
          p32(&b, -1);
        p32(&b, (int64_t)dn);
        if (dn && ns < 512) {
          seg[ns].at = b.n;
          seg[ns].d = d;
          seg[ns].n = dn;
          ns++;
        }
      }
    }
    if (total < minb && !err && waited < wait) {
      free(b.p);
      usleep(2000);
      waited += 2;
      continue;
    }
    uint32_t len = htobe32((uint32_t)(b.n - 4 + (size_t)total));
    memcpy(b.p, &len, 4);
    struct iovec v[1100];
    int nv = 0;
    size_t at = 0;
    for (int i = 0; i < ns; i++) {
      v[nv++] = (struct iovec){b.p + at, seg[i].at - at};
      at = seg[i].at;
      v[nv++] = (struct iovec){(char *)seg[i].d, seg[i].n};
    }
    if (at < b.n)
      v[nv++] = (struct iovec){b.p + at, b.n - at};
    int r = sendv(fd, v, nv);
    free(b.p);
    return r;
  }
}

static void *conn(void *arg) {
  int fd = (int)(intptr_t)arg, one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  char *req = NULL;
  size_t cap = 0;
  uint32_t be;
  while (!all(fd, &be, 4)) {
    size_t len = be32toh(be);
    if (len > 64 << 20)
      break;
    if (len > cap) {
      free(req);
      req = malloc(cap = len);
    }
    if (all(fd, req, len))
      break;
    In in = {req, req + len};
    int api = (int)gi(&in, 2), ver = (int)gi(&in, 2), corr = (int)gi(&in, 4), n;
    gs(&in, &n);
    if (api == 1) {
      if (fetch(fd, corr, ver, &in))
        break;
      continue;
    }
    Buf b = {0};
    p32(&b, 0);
    p32(&b, corr);
    if (api == 18) {
      if (ver > 3) {
        p16(&b, 35);
        p32(&b, 1);
        p16(&b, 18);
        p16(&b, 0);
        p16(&b, 3);
      } else if (ver == 3) {
        p16(&b, 0);
        p8(&b, NAPI + 1);
        for (int i = 0; i < NAPI; i++) {
          p16(&b, API[i].k);
          p16(&b, API[i].lo);
          p16(&b, API[i].hi);
          p8(&b, 0);
        }
        p32(&b, 0);
        p8(&b, 0);
      } else {
        p16(&b, 0);
        p32(&b, NAPI);
        for (int i = 0; i < NAPI; i++) {
          p16(&b, API[i].k);
          p16(&b, API[i].lo);
          p16(&b, API[i].hi);
        }
        if (ver)
          p32(&b, 0);
      }
    } else if (api == 3) {
      int nt = (int)gi(&in, 4);
      In names = in;
      int every = nt < 0 || (ver == 0 && nt == 0);
      if (ver >= 3)
        p32(&b, 0);
      p32(&b, 1);
      p32(&b, 0);
      pstr(&b, "127.0.0.1", 9);
      p32(&b, PORT);
      if (ver >= 1)
        p16(&b, -1);  // broker 0, no rack
      if (ver >= 2)
        pstr(&b, "fake", 4);
      if (ver >= 1)
        p32(&b, 0);
      p32(&b, every ? 1 : nt);
      for (int t = 0; t < (every ? 1 : nt); t++) {
        const char *s = TOPIC;
        int sn = (int)strlen(TOPIC), ok = 1;
        if (!every) {
          s = gs(&names, &sn);
          ok = sn == (int)strlen(TOPIC) && !memcmp(s, TOPIC, (size_t)sn);
        }
        p16(&b, ok ? 0 : 3);
        pstr(&b, s, sn);
        if (ver >= 1)
          p8(&b, 0);
        p32(&b, ok ? NP : 0);
        for (int k = 0; ok && k < NP; k++) {
          p16(&b, 0);
          p32(&b, k);
          p32(&b, 0);
          p32(&b, 1);
          p32(&b, 0);
          p32(&b, 1);
          p32(&b, 0);
        }
      }
    } else if (api == 2) {
      int64_t h[256];
      hws(h);
      gi(&in, 4);
      if (ver >= 2) {
        gi(&in, 1);
        p32(&b, 0);
      }
      int nt = (int)gi(&in, 4);
      p32(&b, nt);
      for (int t = 0; t < nt; t++) {
        int sn;
        const char *s = gs(&in, &sn);
        pstr(&b, s, sn);
        int np = (int)gi(&in, 4);
        p32(&b, np);
        for (int q = 0; q < np; q++) {
          int k = (int)gi(&in, 4);
          int64_t ts = gi(&in, 8);
          int bad = k < 0 || k >= NP;
          p32(&b, k);
          p16(&b, bad ? 3 : 0);
          p64(&b, -1);
          p64(&b, bad ? -1 : ts == -1 ? h[k] : 0);
        }
      }
    } else if (api == 10) {
      p16(&b, 0);
      p32(&b, 0);
      pstr(&b, "127.0.0.1", 9);
      p32(&b, PORT);
    } else if (api == 11) {
      int gn, mn, tn, pn, dn;
      gs(&in, &gn);
      gi(&in, 4);
      const char *m = gs(&in, &mn);
      gs(&in, &tn);
      gi(&in, 4);
      const char *pr = gs(&in, &pn);
      const char *d = gb(&in, &dn);
      if (mn <= 0) {
        m = "m1";
        mn = 2;
      }
      pthread_mutex_lock(&mu);
      int g = ++generation;
      pthread_mutex_unlock(&mu);
      p16(&b, 0);
      p32(&b, g);
      pstr(&b, pr, pn);
      pstr(&b, m, mn);
      pstr(&b, m, mn);
      p32(&b, 1);
      pstr(&b, m, mn);
      p32(&b, dn);
      put(&b, d, (size_t)dn);
    } else if (api == 14) {
      int x, an = 0;
      gs(&in, &x);
      gi(&in, 4);
      gs(&in, &x);
      const char *a = NULL;
      if (gi(&in, 4) > 0) {
        gs(&in, &x);
        a = gb(&in, &an);
      }
      p16(&b, 0);
      p32(&b, an);
      if (an > 0)
        put(&b, a, (size_t)an);
    } else if (api == 12 || api == 13) {
      p16(&b, 0);
    } else if (api == 8 || api == 9) {
      int x;
      gs(&in, &x);
      if (api == 8) {
        gi(&in, 4);
        gs(&in, &x);
        gi(&in, 8);
      }
      int nt = (int)gi(&in, 4);
      p32(&b, nt);
      pthread_mutex_lock(&mu);
      for (int t = 0; t < nt; t++) {
        int sn;
        const char *s = gs(&in, &sn);
        pstr(&b, s, sn);
        int np = (int)gi(&in, 4);
        p32(&b, np);
        for (int q = 0; q < np; q++) {
          int k = (int)gi(&in, 4) & 255;
          p32(&b, k);
          if (api == 8) {
            committed[k] = gi(&in, 8);
            int mn;
            gs(&in, &mn);
            p16(&b, 0);
          } else {
            p64(&b, committed[k]);
            pstr(&b, "", 0);
            p16(&b, 0);
          }
        }
      }
      pthread_mutex_unlock(&mu);
    } else if (api == 32) {  // DescribeConfigs: nothing set
      int x, nr = (int)gi(&in, 4);
      p32(&b, 0);
      p32(&b, nr);
      for (int r = 0; r < nr; r++) {
        int ty = (int)gi(&in, 1), sn;
        const char *s = gs(&in, &sn);
        for (int k = (int)gi(&in, 4); k > 0; k--)
          gs(&in, &x);
        p16(&b, 0);
        p16(&b, -1);
        p8(&b, ty);
        pstr(&b, s, sn);
        p32(&b, 0);
      }
    } else {
      fprintf(stderr, "api %d v%d refused\n", api, ver);
      free(b.p);
      break;
    }
    uint32_t l = htobe32((uint32_t)(b.n - 4));
    memcpy(b.p, &l, 4);
    struct iovec v = {b.p, b.n};
    int r = sendv(fd, &v, 1);
    free(b.p);
    if (r)
      break;
  }
  free(req);
  close(fd);
  return NULL;
}

int main(int argc, char **argv) {
  const char *dir = NULL, *pf = NULL;
  int port = 0;
  for (int i = 1; i < argc; i++) {
    if (!strcmp(argv[i], "--topic"))
      TOPIC = argv[++i];
    else if (!strcmp(argv[i], "--port"))
      port = atoi(argv[++i]);
    else if (!strcmp(argv[i], "--hw-file"))
      HW = argv[++i];
    else if (!strcmp(argv[i], "--port-file"))
      pf = argv[++i];
    else
      dir = argv[i];
  }
  if (!dir) {
    fprintf(stderr, "usage: see the head of stand_in_broker.c\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  for (int k = 0; k < 256; k++)
    committed[k] = -1;
  for (NP = 0; NP < 256; NP++) {
    char path[4096];
    snprintf(path, sizeof path, "%s/p%d.log", dir, NP);
    int fd = open(path, O_RDONLY);
    if (fd < 0)
      break;
    struct stat st;
    fstat(fd, &st);
    Part *p = &P[NP];
    p->len = (size_t)st.st_size;
    p->m = p->len ? mmap(NULL, p->len, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0) : NULL;
    close(fd);
    int cap = 0;
    for (size_t at = 0; at + 61 <= p->len;) {
      In in = {p->m + at, p->m + p->len};
      int64_t base = gi(&in, 8);
      size_t bl = (size_t)gi(&in, 4) + 12;
      in.p = p->m + at + 23;
      int64_t last = gi(&in, 4);
      if (p->n == cap)
        p->b = realloc(p->b, sizeof(Batch) * (size_t)(cap = cap * 2 + 1024));
      p->b[p->n++] = (Batch){base, base + last + 1, at, bl};
      at += bl;
      p->end = base + last + 1;
    }
  }
  if (!NP) {
    fprintf(stderr, "no p0.log in %s\n", dir);
    return 1;
  }
  int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in a = {.sin_family = AF_INET,
                          .sin_port = htons((uint16_t)port),
                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t al = sizeof a;
  if (bind(s, (void *)&a, sizeof a) || listen(s, 64)) {
    perror("bind");
    return 1;
  }
  getsockname(s, (void *)&a, &al);
  PORT = ntohs(a.sin_port);
  if (pf) {
    FILE *f = fopen(pf, "w");
    fprintf(f, "%d\n", PORT);
    fclose(f);
  }
  int64_t tot = 0;
  for (int k = 0; k < NP; k++)
    tot += P[k].end;
  fprintf(stderr, "stand_in_broker 127.0.0.1:%d topic %s: %d partitions, %ld messages\n", PORT,
          TOPIC, NP, tot);
  for (;;) {
    int c = accept(s, NULL, NULL);
    if (c < 0)
      continue;
    pthread_t t;
    if (pthread_create(&t, NULL, conn, (void *)(intptr_t)c))
      close(c);
    else
      pthread_detach(t);
  }
}
