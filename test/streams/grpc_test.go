package streams

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const grpcFile = `environment: test
tls: {cert: a.pem, key: a.key}
jwt: {secret: "` + secret + `", leeway: 0s}
drain: 3s
routes:
  - path: /grpc.testing.TestService/*
    method: post
    requireAuth: true
    upstream: {url: "http://{UP}", h2c: true}
`

// service is a real gRPC server in the clear.
type service struct {
	pb.UnimplementedTestServiceServer
}

func caller(ctx context.Context) string {
	md, _ := metadata.FromIncomingContext(ctx)
	return strings.Join(md["x-portreeve-subject"], ",")
}

func payload(s string) *pb.Payload { return &pb.Payload{Body: []byte(s)} }

func (service) UnaryCall(ctx context.Context, in *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	_ = grpc.SetTrailer(ctx, metadata.Pairs("x-trailed", "yes", "x-portreeve-roles", "admin", "x-bin-bin", "\x00\x01"))
	if s := in.GetResponseStatus(); s != nil {
		return nil, status.Error(codes.Code(s.Code), s.Message)
	}
	return &pb.SimpleResponse{Payload: in.Payload, Username: caller(ctx)}, nil
}

func (service) StreamingInputCall(s pb.TestService_StreamingInputCallServer) error {
	n := 0
	for {
		in, err := s.Recv()
		if err == io.EOF {
			return s.SendAndClose(&pb.StreamingInputCallResponse{AggregatedPayloadSize: int32(n)})
		}
		if err != nil {
			return err
		}
		n += len(in.Payload.Body)
	}
}

func (service) StreamingOutputCall(in *pb.StreamingOutputCallRequest, s pb.TestService_StreamingOutputCallServer) error {
	for _, p := range in.ResponseParameters {
		if err := s.Send(&pb.StreamingOutputCallResponse{Payload: &pb.Payload{Body: make([]byte, p.Size)}}); err != nil {
			return err
		}
	}
	return nil
}

func (service) FullDuplexCall(s pb.TestService_FullDuplexCallServer) error {
	for {
		in, err := s.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.Send(&pb.StreamingOutputCallResponse{Payload: in.Payload}); err != nil {
			return err
		}
	}
}

func grpcServer(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	pb.RegisterTestServiceServer(s, service{})
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return l.Addr().String()
}

func (e *edge) grpc() pb.TestServiceClient {
	e.t.Helper()
	c, err := grpc.NewClient("passthrough:///"+e.addr, grpc.WithTransportCredentials(credentials.NewTLS(e.tls())))
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { _ = c.Close() })
	return pb.NewTestServiceClient(c)
}

func as(token string) context.Context {
	return metadata.AppendToOutgoingContext(context.Background(), "authorization", token, "x-portreeve-subject", "eve")
}

func TestGRPC(t *testing.T) {
	t.Parallel()
	e := start(t, grpcFile, grpcServer(t))
	c, ctx := e.grpc(), as(e.token("amy", time.Hour))

	t.Run("unary", func(t *testing.T) {
		var trailer metadata.MD
		got, err := c.UnaryCall(ctx, &pb.SimpleRequest{Payload: payload("hello")}, grpc.Trailer(&trailer))
		if err != nil || string(got.Payload.Body) != "hello" || got.Username != "amy" {
			t.Errorf("%v %v", got, err)
		}
		if fmt.Sprint(trailer["x-trailed"]) != "[yes]" || trailer["x-portreeve-roles"] != nil || fmt.Sprintf("%q", trailer["x-bin-bin"]) != `["\x00\x01"]` {
			t.Errorf("trailers %v", trailer)
		}
	})
	t.Run("a status of the application's", func(t *testing.T) {
		_, err := c.UnaryCall(ctx, &pb.SimpleRequest{ResponseStatus: &pb.EchoStatus{Code: int32(codes.DataLoss), Message: "löst"}})
		if s := status.Convert(err); s.Code() != codes.DataLoss || s.Message() != "löst" {
			t.Errorf("%v", err)
		}
	})
	t.Run("many at once", func(t *testing.T) {
		var all sync.WaitGroup
		for i := range 300 {
			all.Go(func() {
				want := strings.Repeat(fmt.Sprint(i), 1000)
				if got, err := c.UnaryCall(ctx, &pb.SimpleRequest{Payload: payload(want)}); err != nil || string(got.Payload.Body) != want {
					t.Errorf("%v", err)
				}
			})
		}
		all.Wait()
	})
	t.Run("client streaming", func(t *testing.T) {
		s, err := c.StreamingInputCall(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for range 100 {
			if err := s.Send(&pb.StreamingInputCallRequest{Payload: &pb.Payload{Body: make([]byte, 40000)}}); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := s.CloseAndRecv(); err != nil || got.AggregatedPayloadSize != 4000000 {
			t.Errorf("%v %v", got, err)
		}
	})
	t.Run("server streaming", func(t *testing.T) {
		var ask pb.StreamingOutputCallRequest
		for range 100 {
			ask.ResponseParameters = append(ask.ResponseParameters, &pb.ResponseParameters{Size: 40000})
		}
		s, err := c.StreamingOutputCall(ctx, &ask)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for {
			m, err := s.Recv()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			n += len(m.Payload.Body)
		}
		if n != 4000000 {
			t.Errorf("%d bytes", n)
		}
	})
	t.Run("both at once", func(t *testing.T) {
		s, err := c.FullDuplexCall(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 50 {
			want := fmt.Sprint("message ", i)
			if err := s.Send(&pb.StreamingOutputCallRequest{Payload: payload(want)}); err != nil {
				t.Fatal(err)
			}
			if m, err := s.Recv(); err != nil || string(m.Payload.Body) != want {
				t.Fatalf("%v %v", m, err)
			}
		}
		_ = s.CloseSend()
		if _, err := s.Recv(); err != io.EOF {
			t.Errorf("ended with %v", err)
		}
	})
	t.Run("without a credential", func(t *testing.T) {
		_, err := c.UnaryCall(context.Background(), &pb.SimpleRequest{})
		if status.Code(err) != codes.Unauthenticated {
			t.Errorf("%v", err)
		}
	})
}

// A stream ends with its credential and on drain, and its client is told why.
func TestGRPCStreamsAreToldWhyTheyEnd(t *testing.T) {
	t.Parallel()
	e := start(t, grpcFile, grpcServer(t))
	begin := func(life time.Duration) pb.TestService_FullDuplexCallClient {
		t.Helper()
		s, err := e.grpc().FullDuplexCall(as(e.token("amy", life)))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Send(&pb.StreamingOutputCallRequest{Payload: payload("x")}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Recv(); err != nil {
			t.Fatal(err)
		}
		return s
	}
	short, long := begin(2*time.Second), begin(time.Hour)
	if _, err := short.Recv(); status.Code(err) != codes.Unauthenticated {
		t.Errorf("the expired one ended with %v", err)
	}
	began := time.Now()
	e.stop()
	if err := long.Send(&pb.StreamingOutputCallRequest{Payload: payload("still")}); err != nil {
		t.Error(err)
	}
	if m, err := long.Recv(); err != nil || string(m.Payload.Body) != "still" {
		t.Errorf("while draining: %v", err)
	}
	if _, err := long.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("the drained one ended with %v", err)
	}
	err := <-e.done
	e.done <- nil
	if took := time.Since(began); err != nil || took > 3500*time.Millisecond {
		t.Errorf("stopped with %v after %s", err, took)
	}
}
