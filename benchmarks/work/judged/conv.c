/* Convolution in C, for `minicnn check --op conv2d --command './conv IN.npz OUT.npz'`.   cc -O2 -o conv conv.c
 *
 * The convolution is the function `conv2d`; what stands before it reads and writes .npz files: zip archives, here without compression, of .npy files.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char kind; /* f: floating point, i: integer, S: text */
    int bytes, ndim;
    int64_t shape[8], size;
    unsigned char *data;
} Array;

static void fail(const char *message) {
    fprintf(stderr, "%s\n", message);
    exit(1);
}

static uint32_t little(const unsigned char *at, int bytes) {
    uint32_t value = 0;
    while (bytes--) value = value << 8 | at[bytes];
    return value;
}

static unsigned char *put(unsigned char *at, uint32_t value, int bytes) {
    for (; bytes--; value >>= 8) *at++ = value & 255;
    return at;
}

static unsigned char *whole_file(const char *path, long *size) {
    FILE *file = fopen(path, "rb");
    if (!file) fail("cannot read the file of arrays");
    fseek(file, 0, SEEK_END);
    *size = ftell(file);
    rewind(file);
    unsigned char *content = malloc(*size + 1);
    if (!content || fread(content, 1, *size, file) != (size_t)*size) fail("cannot read the file of arrays");
    fclose(file);
    return content;
}

/* The array of an .npy file: "\x93NUMPY", version, length of the header, and a header such as
 * {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }. */
static Array from_npy(unsigned char *npy) {
    Array array = {.size = 1};
    int length = little(npy + 8, 2);
    char *header = (char *)npy + 10, *at = strstr(header, "'descr': '") + 11; /* behind '<' or '|' */
    array.kind = *at;
    array.bytes = atoi(at + 1);
    for (at = strstr(header, "'shape': (") + 10; *at != ')'; at += *at == ',' || *at == ' ')
        if (*at != ',' && *at != ' ') array.size *= array.shape[array.ndim++] = strtoll(at, &at, 10);
    array.data = npy + 10 + length;
    return array;
}

/* Look an array up in the archive; returns 0 if it isn't there. The directory at the archive's end tells where each file starts. */
static int find(unsigned char *npz, long size, const char *name, Array *array) {
    unsigned char *end = npz + size - 22, *entry = npz + little(end + 16, 4);
    for (int left = little(end + 10, 2); left--; entry += 46 + little(entry + 28, 2) + little(entry + 30, 2) + little(entry + 32, 2)) {
        size_t length = strlen(name);
        if (little(entry + 28, 2) != length + 4 || memcmp(entry + 46, name, length)) continue;
        if (little(entry + 10, 2)) fail("the archive is compressed");
        unsigned char *file = npz + little(entry + 42, 4);
        *array = from_npy(file + 30 + little(file + 26, 2) + little(file + 28, 2));
        return 1;
    }
    return 0;
}

static uint32_t crc32(const unsigned char *data, size_t size) {
    uint32_t crc = ~0u;
    while (size--) {
        crc ^= *data++;
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

/* Write an archive of one array, y.npy: the file's header, the file, the directory of one entry, the archive's end. */
static void write_y(const char *path, const Array *y) {
    size_t bytes = y->size * y->bytes, total = 128 + bytes;
    unsigned char *npy = malloc(total), common[26], *at = common, end[22] = "PK\5\6";
    char *header = (char *)npy + 10;
    memcpy(npy, "\x93NUMPY\1\0", 8);
    put(npy + 8, 118, 2);
    int used = sprintf(header, "{'descr': '<f%d', 'fortran_order': False, 'shape': (%lld, %lld, %lld, %lld), }", y->bytes,
                       (long long)y->shape[0], (long long)y->shape[1], (long long)y->shape[2], (long long)y->shape[3]);
    memset(header + used, ' ', 118 - used);
    header[117] = '\n';
    if (bytes) memcpy(npy + 128, y->data, bytes);
    at = put(put(at, 20, 4), 0, 2);                /* version, flags, method: stored */
    at = put(put(at, 0, 2), 33, 2);                /* time and date: 1 January 1980 */
    at = put(put(put(at, crc32(npy, total), 4), total, 4), total, 4);
    put(put(at, 5, 2), 0, 2);                      /* length of the name "y.npy"; no extra field */
    FILE *file = fopen(path, "wb");
    if (!file) fail("cannot write the result");
    fwrite("PK\3\4", 1, 4, file), fwrite(common, 1, 26, file), fwrite("y.npy", 1, 5, file), fwrite(npy, 1, total, file);
    unsigned char rest[14] = {0};
    fwrite("PK\1\2\24\0", 1, 6, file), fwrite(common, 1, 26, file), fwrite(rest, 1, 14, file), fwrite("y.npy", 1, 5, file);
    put(put(put(put(end + 8, 1, 2), 1, 2), 51, 4), 35 + total, 4);
    fwrite(end, 1, 22, file);
    if (fclose(file)) fail("cannot write the result");
}

/* Element i of an array of float32 or float64; memcpy, since arrays begin at any byte of the file. */
static double real(const Array *a, int64_t i) {
    float single;
    double value;
    if (a->bytes == 8) memcpy(&value, a->data + 8 * i, 8);
    else memcpy(&single, a->data + 4 * i, 4), value = single;
    return value;
}

typedef struct {
    int64_t stride[2], dilation[2], before[2], after[2], groups;
} Options;

/* y[n, o, i, j] = bias[o] + Σ over c, p, q of  x[n, c, i·stride − before + p·dilation, …] · weight[o, c, p, q] */
static Array conv2d(const Array *x, const Array *weight, const Array *bias, Options option) {
    int64_t N = x->shape[0], C = x->shape[1], H = x->shape[2], W = x->shape[3];
    int64_t O = weight->shape[0], CG = weight->shape[1], KH = weight->shape[2], KW = weight->shape[3], out[2];
    for (int axis = 0; axis < 2; axis++) {
        int64_t room = x->shape[2 + axis] + option.before[axis] + option.after[axis];
        out[axis] = (room - (weight->shape[2 + axis] - 1) * option.dilation[axis] - 1) / option.stride[axis] + 1;
    }
    Array y = {'f', x->bytes, 4, {N, O, out[0], out[1]}, N * O * out[0] * out[1], 0};
    y.data = malloc(y.size * y.bytes + 1);
    int64_t place = 0;
    for (int64_t n = 0; n < N; n++)
        for (int64_t o = 0; o < O; o++)
            for (int64_t i = 0; i < out[0]; i++)
                for (int64_t j = 0; j < out[1]; j++) {
                    double sum = bias ? real(bias, o) : 0;
                    for (int64_t c = 0; c < CG; c++)
                        for (int64_t p = 0; p < KH; p++)
                            for (int64_t q = 0; q < KW; q++) {
                                int64_t channel = o / (O / option.groups) * CG + c;
                                int64_t row = i * option.stride[0] - option.before[0] + p * option.dilation[0];
                                int64_t column = j * option.stride[1] - option.before[1] + q * option.dilation[1];
                                if (row >= 0 && row < H && column >= 0 && column < W)
                                    sum += real(x, ((n * C + channel) * H + row) * W + column) *
                                           real(weight, ((o * CG + c) * KH + p) * KW + q);
                            }
                    if (y.bytes == 4) ((float *)y.data)[place++] = (float)sum;
                    else ((double *)y.data)[place++] = sum;
                }
    return y;
}

/* An option of two numbers, one for the height and one for the width. */
static void read_pair(unsigned char *npz, long size, const char *name, int64_t pair[2]) {
    Array array;
    if (!find(npz, size, name, &array)) fail("an option is missing");
    memcpy(pair, array.data, 16);
}

int main(int count, char **arguments) {
    if (count != 3) fail("usage: conv IN.npz OUT.npz");
    long size;
    unsigned char *npz = whole_file(arguments[1], &size);
    Array x, weight, bias, padding;
    if (!find(npz, size, "input", &x) || !find(npz, size, "weight", &weight)) fail("input or weight is missing");
    int has_bias = find(npz, size, "bias", &bias);
    Options option = {.groups = x.shape[1] / weight.shape[1]};
    read_pair(npz, size, "stride", option.stride);
    read_pair(npz, size, "dilation", option.dilation);
    if (find(npz, size, "padding", &padding) && padding.kind == 'S') {
        int same = padding.data[0] == 's'; /* "same": an odd pixel goes behind the image; otherwise "valid" */
        for (int axis = 0; axis < 2; axis++) {
            int64_t whole = same * (weight.shape[2 + axis] - 1) * option.dilation[axis];
            option.before[axis] = whole / 2;
            option.after[axis] = whole - whole / 2;
        }
    } else {
        read_pair(npz, size, "padding", option.before);
        memcpy(option.after, option.before, sizeof option.after);
    }
    Array y = conv2d(&x, &weight, has_bias ? &bias : NULL, option);
    write_y(arguments[2], &y);
    return 0;
}
