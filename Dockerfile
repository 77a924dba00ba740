# One image for machines with and without an NVIDIA GPU: `docker run --gpus all IMAGE info` or, without a GPU,
# `docker run IMAGE info`. tools/container_check.sh runs these very steps where no image can be built.
ARG CUDA=13.0.1
FROM nvidia/cuda:${CUDA}-devel-ubuntu24.04 AS build
ARG PRESET=release
WORKDIR /src
COPY tools/setup.sh tools/setup.sh
RUN tools/setup.sh build
COPY . .
RUN cmake --preset ${PRESET} -DTANDEM_TESTS=OFF -DTANDEM_BENCH=OFF -DTANDEM_FFTW=OFF \
  -DTANDEM_STATIC=ON && cmake --build --preset ${PRESET}
RUN cmake --install build/${PRESET} --prefix /opt/tandem --component runtime
RUN tools/setup.sh needs /opt/tandem >/opt/tandem/packages.txt

FROM nvidia/cuda:${CUDA}-runtime-ubuntu24.04
COPY --from=build /opt/tandem /opt/tandem
COPY tools/setup.sh /opt/tandem/share/setup.sh
RUN /opt/tandem/share/setup.sh runtime /opt/tandem/packages.txt && rm -rf /var/lib/apt/lists/*
ENV PATH=/opt/tandem/bin:${PATH}
WORKDIR /work
ENTRYPOINT ["tandem"]
CMD ["info"]
