/* The network in C: row-major arrays of doubles, sizes beside them, answers into arrays of the caller. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Each product of image and kernel in the true convolution: output (i, j), image (m, n), kernel (a, b). */
#define FOR_EACH_PRODUCT                                       \
    for (int i = 0; i <= rows - height; i++)                   \
        for (int j = 0; j <= columns - width; j++)             \
            for (int a = 0, m = i + height - 1; a < height; a++, m--) \
                for (int b = 0, n = j + width - 1; b < width; b++, n--)

#define OUTPUT (i * (columns - width + 1) + j)

void convolve(const double *image, int rows, int columns, const double *kernel, int height, int width, double *output)
{
    memset(output, 0, sizeof(double) * (rows - height + 1) * (columns - width + 1));
    FOR_EACH_PRODUCT
        output[OUTPUT] += image[m * columns + n] * kernel[a * width + b];
}

void kernel_gradient(const double *image, int rows, int columns, int height, int width, const double *upstream,
                     double *gradient)
{
    memset(gradient, 0, sizeof(double) * height * width);
    FOR_EACH_PRODUCT
        gradient[a * width + b] += image[m * columns + n] * upstream[OUTPUT];
}

void image_gradient(int rows, int columns, const double *kernel, int height, int width, const double *upstream,
                    double *gradient)
{
    memset(gradient, 0, sizeof(double) * rows * columns);
    FOR_EACH_PRODUCT
        gradient[m * columns + n] += kernel[a * width + b] * upstream[OUTPUT];
}

/* The index of the first maximum of the p×q window that starts at this corner. */
static int winner(const double *x, int columns, int p, int q, int corner)
{
    int best = corner;
    for (int a = 0; a < p; a++)
        for (int b = 0; b < q; b++)
            if (x[corner + a * columns + b] > x[best])
                best = corner + a * columns + b;
    return best;
}

void max_pool(const double *x, int rows, int columns, int p, int q, double *output)
{
    for (int i = 0; i < rows / p; i++)
        for (int j = 0; j < columns / q; j++)
            *output++ = x[winner(x, columns, p, q, i * p * columns + j * q)];
}

void max_pool_gradient(const double *x, int rows, int columns, int p, int q, const double *upstream, double *gradient)
{
    memset(gradient, 0, sizeof(double) * rows * columns);
    for (int i = 0; i < rows / p; i++)
        for (int j = 0; j < columns / q; j++)
            gradient[winner(x, columns, p, q, i * p * columns + j * q)] = *upstream++;
}

void relu(const double *x, int size, double *output)
{
    for (int i = 0; i < size; i++)
        output[i] = x[i] > 0 ? x[i] : 0;
}

void arctan(const double *x, int size, double *output)
{
    for (int i = 0; i < size; i++)
        output[i] = atan(x[i]);
}

/* The prediction; the gradients of the cost go into arrays that the caller provides. */
double gradients(const double *image, int rows, int columns, double target, const double *kernel, int height, int width,
                 const double *weights, double *of_kernel, double *of_weights)
{
    int down = rows - height + 1, across = columns - width + 1, size = down * across;
    double *convolved = malloc(3 * size * sizeof(double)), *activated = convolved + size, *upstream = activated + size;
    convolve(image, rows, columns, kernel, height, width, convolved);
    relu(convolved, size, activated);
    max_pool(activated, down, across, 2, 2, of_weights); /* the features, until δ is known */
    double weighted = 0;
    for (int k = 0; k < size / 4; k++)
        weighted += of_weights[k] * weights[k];
    double delta = (atan(weighted) - target) / (1 + weighted * weighted);
    max_pool_gradient(activated, down, across, 2, 2, weights, upstream);
    for (int k = 0; k < size; k++)
        upstream[k] *= convolved[k] > 0 ? delta : 0;
    kernel_gradient(image, rows, columns, height, width, upstream, of_kernel);
    for (int k = 0; k < size / 4; k++)
        of_weights[k] *= delta;
    free(convolved);
    return atan(weighted);
}
