#define A(x, ...) (x ## 1 + #x[0] __VA_ARGS__)
#define B A(2, + B(1))
#if defined(A) && (1 ? 2 : 3) > -1LL || 'x' << 2
enum e { E0 = 0x1p, E1 = 1 << 31, E2 = ~0ULL, E3 = -'\xff' };
#elif 0
#error no
#else
#endif
struct { union { int a:3; char b[sizeof(int) * E1]; }; } x = { .a = B, { [1 ... 3] = "\"" } };
typedef int (*f_t)(void (*)(int), ...);
static inline __always_inline int f(int a) { do { a = ({ int b = a; b; }) ?: 1; } while (0); return a ? f(a) : (int){ 1 }; }
_Static_assert(1, "x");
#undef A
