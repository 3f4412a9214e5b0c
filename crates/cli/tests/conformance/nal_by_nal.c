/* Decodes H.264 with openh264, one NAL unit a call, as a player does that has lost where samples begin and end.
 *
 *   nal_by_nal BLOCK COLUMNS ROWS
 *
 * Standard input: units, each behind its length in four bytes, big-endian. Standard output: for each picture that
 * comes out one line, the mean luma of COLUMNS x ROWS blocks of BLOCK pixels at the top left, row by row. Pictures
 * are what the decoder gives of itself: it is never told that a picture is complete. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wels/codec_api.h>

static int block, columns, rows;

static int mean(const unsigned char *luma, int stride, int column, int row) {
    /* Without the seams, which H.264 smears. */
    int seam = block / 4, side = block - 2 * seam, sum = 0;
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++)
            sum += luma[(row * block + seam + y) * stride + column * block + seam + x];
    return sum / (side * side);
}

static int show(unsigned char **planes, const SBufferInfo *info) {
    const SSysMEMBuffer *buffer = &info->UsrData.sSystemBuffer;
    if (info->iBufferStatus != 1) return 0;
    if (columns * block > buffer->iWidth || rows * block > buffer->iHeight) exit(4);
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++)
            printf("%d ", mean(planes[0], buffer->iStride[0], column, row));
    putchar('\n');
    return 1;
}

int main(int count, char **words) {
    if (count != 4) return 2;
    block = atoi(words[1]), columns = atoi(words[2]), rows = atoi(words[3]);
    ISVCDecoder *decoder = NULL;
    SDecodingParam settings = {0};
    settings.sVideoProperty.size = sizeof settings.sVideoProperty;
    settings.sVideoProperty.eVideoBsType = VIDEO_BITSTREAM_AVC;
    settings.eEcActiveIdc = ERROR_CON_DISABLE; /* a lost picture is not made up */
    if (WelsCreateDecoder(&decoder) || !decoder || (*decoder)->Initialize(decoder, &settings)) return 3;
    int quiet = 0;
    (*decoder)->SetOption(decoder, DECODER_OPTION_TRACE_LEVEL, &quiet);
    unsigned char length[4], *unit = NULL, *planes[3];
    SBufferInfo info;
    while (fread(length, 1, 4, stdin) == 4) {
        size_t bytes = (size_t)length[0] << 24 | length[1] << 16 | length[2] << 8 | length[3];
        unit = realloc(unit, bytes + 4);
        if (!unit) return 3;
        memcpy(unit, "\0\0\0\1", 4);
        if (fread(unit + 4, 1, bytes, stdin) != bytes) return 2;
        memset(&info, 0, sizeof info);
        memset(planes, 0, sizeof planes);
        /* An error shows as a missing picture, which is what is looked for. */
        (*decoder)->DecodeFrame2(decoder, unit, (int)bytes + 4, planes, &info);
        show(planes, &info);
    }
    bool end = true;
    (*decoder)->SetOption(decoder, DECODER_OPTION_END_OF_STREAM, &end);
    memset(&info, 0, sizeof info);
    memset(planes, 0, sizeof planes);
    (*decoder)->DecodeFrame2(decoder, NULL, 0, planes, &info);
    show(planes, &info);
    int left = 0;
    (*decoder)->GetOption(decoder, DECODER_OPTION_NUM_OF_FRAMES_REMAINING_IN_BUFFER, &left);
    while (left-- > 0) {
        memset(&info, 0, sizeof info);
        memset(planes, 0, sizeof planes);
        (*decoder)->FlushFrame(decoder, planes, &info);
        show(planes, &info);
    }
    (*decoder)->Uninitialize(decoder);
    WelsDestroyDecoder(decoder);
    free(unit);
    return 0;
}
