# The gateway alone, for `serve`. The demonstration is not in it: that is `npm start` in the source folder.
#
#   docker build -t launch-gateway .
#   docker run --read-only --tmpfs /tmp -p 8080:8080 \
#     -v "$PWD/my-config:/etc/launch-gateway:ro" -v launch-gateway:/var/lib/launch-gateway launch-gateway
#
# Node 26 is the current LTS. Debian rather than Alpine: the embedded store's library is built for glibc first.

FROM node:26-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json tsconfig.browser.json ./
COPY build ./build
COPY public ./public
COPY src ./src
RUN npm run -s build

FROM node:26-bookworm-slim
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev && npm cache clean --force
# Pages are rendered from their sources; the compiled rest comes from the stage before.
COPY src/http/views ./src/http/views
COPY --from=build /app/dist/src ./dist/src
# The console's editor; its pages work without.
COPY --from=build /app/dist/public/console ./dist/public/console
# The one place that is written to: `data_dir` of gateway.yaml, used by the embedded store.
RUN install -d -o node -g node -m 0700 /var/lib/launch-gateway
VOLUME /var/lib/launch-gateway
USER node
ENV NODE_ENV=production
# Where the health check asks. Change it with `listen` or `tls` of gateway.yaml.
ENV HEALTH_URL=http://127.0.0.1:8080/livez
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(process.env.HEALTH_URL).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Room for the heap from the start: on one core V8 otherwise collects every few seconds, beside the answers (docs/operating.md).
ENTRYPOINT ["node", "--initial-old-space-size=400", "--min-semi-space-size=64", "dist/src/main.js"]
CMD ["serve", "--config", "/etc/launch-gateway"]
